--- Writes the completion of a shell: `wrun scripts/package/completion.lua bash`, or zsh.
---
--- It is made of `wrun --help`; after a script inside wrun it asks that for its --help.

local usage = require "usage"

local BASH = [==[
# Completion of wrun for bash, written from wrun --help.
_wrun() {
    local word=${COMP_WORDS[COMP_CWORD]} script= options i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --threads | -e | -l) ((i++)) ;;
            -*) ;;
            *)
                script=${COMP_WORDS[i]}
                break
                ;;
        esac
    done
    if [ -n "$script" ] && [[ $word == -* ]]; then
        case " @SCRIPTS@ " in
            *" $script "*)
                options=$("${COMP_WORDS[0]}" "$script" --help 2>/dev/null |
                    grep -o -e '--[a-z][a-z-]*')
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word" | sort -u)
                ;;
        esac
    elif [ -n "$script" ]; then
        compopt -o default
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "@OPTIONS@" -- "$word")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(
            compgen -W "@SCRIPTS@" -- "$word"
            compgen -f -X '!*.lua' -- "$word"
            compgen -d -- "$word"
        )
    fi
}
complete -F _wrun wrun
]==]

local ZSH = [==[
#compdef wrun
# Completion of wrun for zsh, written from wrun --help.
_wrun_script() {
    local -a scripts
    scripts=(
@SCRIPTS@
    )
    _describe script scripts
    _files -g '*.lua'
}
_wrun_arguments() {
    if [[ $PREFIX == -* ]]; then
        local -a options
        options=(${(f)"$($service ${line[1]} --help 2>/dev/null | grep -o -e '--[a-z][a-z-]*')"})
        compadd -a options
    else
        _files
    fi
}
local -a line
_arguments -S \
@OPTIONS@
    '1:script:_wrun_script' \
    '*:argument:_wrun_arguments'
]==]

local function scripts()
  for i = 2, #usage do
    if usage[i].title:find("^Scripts") then
      return usage[i].rows
    end
  end
end

local function words(rows)
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    local word = row.name:match("^[^%s[]+")
    if not seen[word] and word ~= "-" and word ~= "--" then
      seen[word] = true
      list[#list + 1] = word
    end
  end
  return table.concat(list, " ")
end

local function zsh_text(text)
  return (text:gsub("'", "'\\''"):gsub("[%[%]:]", "\\%0"))
end

--- an option of zsh: 'NAME[what it does]:its argument:'
local function zsh_options()
  local lines, seen = {}, {}
  for _, row in ipairs(usage[1].rows) do
    local name, argument = row.name:match("^(%-%-?%a+) ?(.*)$")
    local file = row.name:match("%[=(%u+)%]$")
    if file then
      lines[#lines + 1] = ("    '%s=-[%s]::%s:_files' \\"):format(name, zsh_text(row.text),
        file:lower())
    elseif name and not seen[name] then
      seen[name] = true
      local value = argument ~= "" and ":" .. zsh_text(argument:lower()) .. ":" or ""
      local many = argument ~= "" and name ~= "--threads" and "*" or ""
      lines[#lines + 1] = ("    '%s%s[%s]%s' \\"):format(many, name, zsh_text(row.text), value)
    end
  end
  return table.concat(lines, "\n")
end

local function zsh_scripts()
  local lines = {}
  for i, row in ipairs(scripts()) do
    lines[i] = ("        '%s:%s'"):format(zsh_text(row.name), zsh_text(row.text))
  end
  return table.concat(lines, "\n")
end

local TEMPLATES = {
  bash = { BASH, OPTIONS = words(usage[1].rows), SCRIPTS = words(scripts()) },
  zsh = { ZSH, OPTIONS = zsh_options(), SCRIPTS = zsh_scripts() },
}
local template = TEMPLATES[arg[1]]
io.write((template[1]:gsub("@(%u+)@", template)))
