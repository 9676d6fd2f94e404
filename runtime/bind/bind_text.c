/*
 * bind_text.c - files of text, and of bytes that something else made
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/open.h"
#include "formats/atomic_file.h"

/* text_save(path, text) -> true, or nil and a message; the file is complete or as it was */
static int core_text_save(lua_State *L)
{
    AtomicFile output;
    const char *path = bind_string(L, "text_save", 1, "a path");
    size_t size;
    const char *text = bind_bytes(L, "text_save", 2, &size);
    Reason reason = atomic_file_begin(&output, path);

    if (reason == NULL) {
        atomic_file_write(&output, text, size);
        reason = atomic_file_end(&output, NULL);
    }
    return bind_push_outcome(L, path, reason);
}

static const luaL_Reg text_functions[] = {
    {"text_save", core_text_save},
    {NULL, NULL},
};

void bind_open_text(lua_State *L)
{
    bind_register(L, text_functions);
}
