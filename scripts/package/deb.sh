#!/bin/sh
# Makes a package of Debian of a tree of files: deb.sh TREE VERSION FILE. The tree is below usr/.
set -eu
tree=$1 version=$2 file=$3
doc=$tree/usr/share/doc/wrun

# Scripts and fonts that Debian has in packages of their own.
pages=$doc/html/_static
for path in "$pages"/*.js "$pages"/*.css; do
    name=$(basename "$path")
    for library in sphinxdoc/1.0 katex; do
        if cmp -s "$path" "/usr/share/javascript/$library/$name"; then
            ln -sf "../../../../javascript/$library/$name" "$path"
        fi
    done
done
rm -r "$pages/fonts"
ln -s ../../../../javascript/katex/fonts "$pages/fonts"
mkdir -p "$tree/usr/share/lintian/overrides"
echo 'wrun: embedded-javascript-library *language_data.js*' \
    >"$tree/usr/share/lintian/overrides/wrun" # written by Sphinx for these pages

# Its licence and its history, as Debian wants them.
{
    echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
    echo
    echo 'Files: *'
    sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
    echo 'License: Expat'
    sed -e '1,/^Copyright/d' -e '/./,$!d' -e 's/^$/./' -e 's/^/ /' LICENSE
} >"$doc/copyright"
rm -f "$doc/LICENSE"
date=$(git log -1 --format=%cD 2>/dev/null || date -R)
printf 'wrun (%s) unstable; urgency=low\n\n  * Built from its sources.\n\n -- %s  %s\n' \
    "$version" "$MAINTAINER" "$date" | gzip -9n >"$doc/changelog.gz"
gzip -9nf "$tree/usr/share/man/man1/wrun.1"

# What it needs: libraries as the linker knows them, and by name what it loads itself.
mkdir -p "$tree/debian"
echo 'Source: wrun' >"$tree/debian/control"
libraries=$(cd "$tree" && dpkg-shlibdeps -O usr/bin/wrun usr/lib/*/lua/5.4/wrun.so 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
rm -r "$tree/debian"
mkdir -p "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<END
Package: wrun
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: $MAINTAINER
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: $libraries, libopenblas0-pthread | libopenblas0-openmp, libsleef3, libjs-katex, libjs-sphinxdoc, lua-argparse
Recommends: libcurl4, lua5.4
Suggests: dataset-fashion-mnist, lua-busted, openmpi-bin
Section: math
Priority: optional
Description: numerical runtime scripted in Lua
 One program that embeds Lua and has tensors with gradients, weight
 initialisers, layers, optimisers and Restricted Boltzmann Machines. It
 follows the names, the meanings and the random numbers of PyTorch.
 .
 The same is a module for a stock Lua: require "wrun".
END
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$tree" "$file" >/dev/null
