#!/bin/sh
# Removes what install.sh has made in a folder, and nothing else: uninstall.sh FOLDER.
set -eu
list=$1/share/wrun/installed
[ -f "$list" ] || exit 0
names=$(cat "$list")
echo "$names" | while read -r path; do
    if [ -d "$1/$path" ] && [ ! -L "$1/$path" ]; then
        rmdir --ignore-fail-on-non-empty "$1/$path"
    else
        rm -f "$1/$path"
    fi
done
