std = "lua54"
max_line_length = 100
max_comment_line_length = 120 -- a tag of LuaCATS stands on one line

files["spec"] = { std = "lua54+busted" }
files["spec/fixtures"] = { max_line_length = false } -- numbers, written by programs
