#!/bin/sh
# Makes a rock of LuaRocks: rock.sh FOLDER VERSION. It holds the sources, of which LuaRocks builds the
# module where the rock is installed.
set -eu
folder=$1 version=$2
name=wrun-$version
rm -rf "$folder"
mkdir -p "$folder/$name"
cp -r Makefile .packages LICENSE README.md runtime lua scripts "$folder/$name"
tar -C "$folder" --owner=0 --group=0 -czf "$folder/$name.tar.gz" "$name"
rm -r "${folder:?}/$name"
cat >"$folder/$name-1.rockspec" <<END
rockspec_format = "3.0"
package = "wrun"
version = "$version-1"
source = { url = "file://$(cd "$folder" && pwd)/$name.tar.gz" }
description = {
  summary = "Tensors with gradients, networks, optimisers and Restricted Boltzmann Machines",
  license = "MIT",
}
dependencies = { "lua >= 5.4, < 5.5" }
build = {
  type = "command",
  build_command = "make module",
  install = { lib = { wrun = "build/wrun.so" } },
}
END
cd "$folder"
luarocks --lua-version 5.4 pack "$name-1.rockspec" >/dev/null
rm "$name.tar.gz"
