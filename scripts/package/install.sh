#!/bin/sh
# Copies a tree of files: install.sh TREE FOLDER. What it makes, files and folders, is listed in the
# folder, for uninstall.sh; what an earlier one made goes first.
set -eu
umask 022
tree=$1 folder=$2
list=$folder/share/wrun/installed
sh "$(dirname "$0")/uninstall.sh" "$folder"

# The folders that are not there yet, outermost first.
made=$(cd "$tree" && find . -mindepth 1 -type d | LC_ALL=C sort | while read -r path; do
    [ -d "$folder/$path" ] || echo "$path"
done)
mkdir -p "$folder"
(cd "$tree" && find . -mindepth 1 -type d) | while read -r path; do
    install -d "$folder/$path"
done
(cd "$tree" && find . -type f -o -type l) | while read -r path; do
    rm -f "$folder/$path"
    cp -P "$tree/$path" "$folder/$path"
done
{
    (cd "$tree" && find . -type f -o -type l)
    echo ./share/wrun/installed
    echo "$made" | LC_ALL=C sort -r
} >"$list"
