/*
 * bind_idx.c - the IDX files of MNIST
 */
#include <errno.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/content.h"
#include "formats/idx.h"

static int close_idx_reader(lua_State *L)
{
    idx_close(lua_touserdata(L, 1));
    return 0;
}

/* nil, "PATH: REASON" and what completes the Reason */
static int idx_refusal(lua_State *L, const char *path, IdxReader *reader, Reason reason)
{
    Refusal refusal;
    const unsigned char *m = reader->magic;
    char magic[2 * sizeof(reader->magic) + sizeof(reader->magic)];

    switch (reader->fault) {
    case IDX_FAULT_FILE:
        break;
    case IDX_FAULT_SIZE:
        return bind_refuse(L, "%s: %s: expected %I bytes, found %I", path, reason,
                           (LUAI_UACINT)reader->expected, (LUAI_UACINT)reader->found);
    case IDX_FAULT_HEADER:
        for (size_t i = 0; i < sizeof(reader->magic); i++) {
            magic[3 * i] = "0123456789ABCDEF"[m[i] >> 4];
            magic[3 * i + 1] = "0123456789ABCDEF"[m[i] & 15];
            magic[3 * i + 2] = i + 1 < sizeof(reader->magic) ? ' ' : '\0';
        }
        reason = lua_pushfstring(L, "%s: found %s", reason, magic);
        return bind_refuse_file(L, path,
                                content_refuse(&refusal, "data.idx", reason, &reader->source));
    }
    return bind_refuse_file(L, path, reason);
}

/* Does the header announce the sizes in the table at `index`? nil takes any. */
static bool has_shape(lua_State *L, int index, const IdxReader *reader)
{
    if (lua_isnil(L, index))
        return true;
    bool equal = lua_rawlen(L, index) == (lua_Unsigned)reader->ndim;
    for (int d = 0; equal && d < reader->ndim; d++) {
        lua_rawgeti(L, index, d + 1);
        equal = lua_tointeger(L, -1) == reader->shape[d];
        lua_pop(L, 1);
    }
    return equal;
}

static int shape_refusal(lua_State *L, const char *f, const char *path, int index,
                         const IdxReader *reader)
{
    int64_t expected[MAX_RANK];
    int next, ndim = bind_sizes(L, f, index, expected, &next);

    const char *wanted = bind_shape_text(L, ndim, expected);
    const char *found = bind_shape_text(L, reader->ndim, reader->shape);
    return bind_refuse(L, "%s: other sizes than expected: expected %s, found %s", path, wanted,
                       found);
}

/*
 * idx_read(f, path, { sha256=, shape= }) -> tensor, or nil and a message; f is what the user called.
 * sha256 is of the uncompressed file; the sizes are compared with `shape` before memory is taken for
 * them.
 */
static int core_idx_read(lua_State *L)
{
    static const char *const known[] = {"sha256", "shape", NULL};
    enum { OPTIONS = 3, SHAPE = 5 };
    const char *f = bind_string(L, "idx_read", 1, "a name");
    const char *path = bind_string(L, f, 2, "a path");
    bind_check_options(L, f, OPTIONS, known);
    lua_settop(L, OPTIONS);
    const char *sha256 = bind_push_option_string(L, f, OPTIONS, "sha256", "a string");
    bind_push_option(L, f, OPTIONS, "shape", LUA_TTABLE, "a table of sizes");

    IdxReader *reader = bind_push_reader(L, "wrun.idx_file", sizeof(*reader), close_idx_reader);
    int descriptor = bind_open_file(path);
    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = idx_open(reader, descriptor);
    if (reason != NULL)
        return idx_refusal(L, path, reader, reason);
    if (!has_shape(L, SHAPE, reader))
        return shape_refusal(L, f, path, SHAPE, reader);
    Tensor *result = bind_new_file_tensor(L, f, path, reader->dtype, reader->ndim, reader->shape);
    if ((reason = idx_read(reader, tensor_data(result))) != NULL)
        return idx_refusal(L, path, reader, reason);

    char found[DIGEST_TEXT];
    idx_digest(reader, found);
    if (sha256 != NULL && strcmp(found, sha256) != 0)
        return bind_refuse_content(L, path, sha256, found);
    return 1;
}

static const luaL_Reg idx_functions[] = {
    {"idx_read", core_idx_read},
    {NULL, NULL},
};

void bind_open_idx(lua_State *L)
{
    bind_register(L, idx_functions);
}
