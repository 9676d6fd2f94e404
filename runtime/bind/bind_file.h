/*
 * bind_file.h - what the bindings of files share: paths, readers, refusals
 *
 * A file that is missing or bad gives nil and a message, as io.open does; only wrong use raises. An
 * open reader hangs in a userdata that is closed when the function is left, by an error too.
 */
#ifndef BIND_FILE_H
#define BIND_FILE_H

#include "bind/bind.h"
#include "formats/named_array.h"

int bind_open_file(const char *path); /* a descriptor to read from, or -1 and errno */
/*
 * Pushes a userdata of `size` zero bytes that begins with a GzipReader, and is closed by `close`
 * when the function that called this is left.
 */
void *bind_push_reader(lua_State *L, const char *type, size_t size, lua_CFunction close);

/* as bind_new_tensor; an error names the file that is read */
Tensor *bind_new_file_tensor(lua_State *L, const char *f, const char *path, DType dtype, int ndim,
                             const int64_t *shape);

/* nil and "PATH: REASON" */
int bind_refuse_file(lua_State *L, const char *path, Reason reason);
/* true, or nil and why not */
int bind_push_outcome(lua_State *L, const char *path, Reason reason);
/* nil and a message: the file or address `name` has other content than its SHA-256 says */
int bind_refuse_content(lua_State *L, const char *name, const char *expected, const char *found);

/* what is written must lie row by row; the caller sees to it */
const Tensor *bind_contiguous(lua_State *L, const char *f, int index);
/* array i, from 1, of a list of names and a list of contiguous tensors, which keep it alive */
NamedArray bind_named_array(lua_State *L, const char *f, int names, int tensors, lua_Integer i);

#endif
