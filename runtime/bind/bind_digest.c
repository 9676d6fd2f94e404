/*
 * bind_digest.c - the SHA-256 of tensors and texts
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/open.h"
#include "formats/digest.h"

/* digest(list of strings and contiguous tensors) -> the SHA-256 of all their bytes, in order */
static int core_digest(lua_State *L)
{
    static const char f[] = "digest";
    Digest digest;
    char text[DIGEST_TEXT];

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 1);
    digest_start(&digest);
    for (lua_Integer i = 1; i <= count; i++) {
        size_t size;
        lua_settop(L, 1);
        lua_rawgeti(L, 1, i);
        if (lua_type(L, 2) == LUA_TSTRING) {
            const char *bytes = bind_bytes(L, f, 2, &size);
            digest_add(&digest, bytes, size);
        } else {
            const Tensor *t = bind_contiguous(L, f, 2);
            size = (size_t)(t->numel * dtype_size((DType)t->dtype));
            digest_add(&digest, tensor_data(t), size);
        }
    }
    digest_finish(&digest, text);
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg digest_functions[] = {
    {"digest", core_digest},
    {NULL, NULL},
};

void bind_open_digest(lua_State *L)
{
    bind_register(L, digest_functions);
}
