/*
 * bind_safetensors.c - files of named tensors
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/content.h"
#include "formats/safetensors.h"

static int close_safetensors(lua_State *L)
{
    safetensors_close(lua_touserdata(L, 1));
    return 0;
}

static void push_metadata(lua_State *L, const json_t *header)
{
    const char *name;
    json_t *value;

    lua_newtable(L);
    json_object_foreach(json_object_get(header, "__metadata__"), name, value)
    {
        lua_pushstring(L, name);
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        lua_rawset(L, -3);
    }
}

/* nil, a message and, for a file of tensors of another format that can be read, its name */
static int refuse_safetensors(lua_State *L, const char *path, const GzipReader *source,
                              Reason reason)
{
    struct stat status;
    const char *format = content_of_tensors(source->head, source->head_size);

    bind_refuse_file(L, path, reason);
    lua_pushstring(L, fstat(source->descriptor, &status) == 0 && S_ISREG(status.st_mode) ? format
                                                                                         : NULL);
    return 3;
}

/*
 * safetensors_read(path) -> table of name and tensor, table of metadata; or nil, a message and
 * perhaps "torch" or "torch7", which it is instead
 */
static int core_safetensors_read(lua_State *L)
{
    const char *path = bind_string(L, "load", 1, "a path");
    SafetensorsReader *reader =
        bind_push_reader(L, "wrun.safetensors_file", sizeof(*reader), close_safetensors);
    int descriptor = bind_open_file(path), ndim;
    int64_t shape[MAX_RANK];

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = safetensors_open(reader, descriptor);
    lua_newtable(L);
    for (int64_t i = 0; i < reader->count && reason == NULL; i++) {
        const SafetensorsEntry *entry = &reader->entries[i];
        lua_pushstring(L, entry->name);
        safetensors_shape(entry, &ndim, shape);
        Tensor *t = bind_new_file_tensor(L, "load", path, encoding_info[entry->encoding].dtype,
                                         ndim, shape);
        reason = safetensors_read(reader, i, tensor_data(t));
        lua_rawset(L, -3);
    }
    if (reason == NULL)
        reason = safetensors_finish(reader);
    if (reason != NULL)
        return refuse_safetensors(L, path, &reader->source, reason);
    push_metadata(L, reader->header);
    return 2;
}

/*
 * safetensors_save(path, list of names, list of contiguous tensors, list of metadata: names and
 * texts in turns) -> true, or nil and a message
 */
static int core_safetensors_save(lua_State *L)
{
    enum { NAMES = 2, TENSORS, TEXTS };
    const char *path = bind_string(L, "save", 1, "a path");
    for (int i = NAMES; i <= TEXTS; i++)
        luaL_checktype(L, i, LUA_TTABLE);
    lua_Integer count = luaL_len(L, NAMES), text_count = luaL_len(L, TEXTS);
    NamedArray *arrays = lua_newuserdatauv(L, (size_t)count * sizeof(*arrays) + 1, 0);
    const char **texts = lua_newuserdatauv(L, (size_t)text_count * sizeof(*texts) + 1, 0);

    for (lua_Integer i = 0; i < count; i++)
        arrays[i] = bind_named_array(L, "safetensors_save", NAMES, TENSORS, i + 1);
    for (lua_Integer i = 0; i < text_count; i++) { /* they stay alive in their table */
        lua_rawgeti(L, TEXTS, i + 1);
        if ((texts[i] = bind_to_string(L, -1)) == NULL)
            bind_fail(L, "save: argument 3: expected texts without zero bytes, got %s",
                      bind_describe(L, lua_gettop(L)));
        lua_pop(L, 1);
    }
    Refusal refusal;
    return bind_push_outcome(
        L, path, safetensors_save(path, arrays, count, texts, text_count / 2, &refusal));
}

static const luaL_Reg safetensors_functions[] = {
    {"safetensors_read", core_safetensors_read},
    {"safetensors_save", core_safetensors_save},
    {NULL, NULL},
};

void bind_open_safetensors(lua_State *L)
{
    bind_register(L, safetensors_functions);
}
