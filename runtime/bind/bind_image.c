/*
 * bind_image.c - reading and writing pictures
 *
 * For wrun.image, which checks what users give. A file that cannot be had gives nil and a message.
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/image.h"

/* image_save(path, uint8 [height, width] or [height, width, 3]) -> true, or nil and a message */
static int core_image_save(lua_State *L)
{
    static const char f[] = "image.save";
    const char *path = bind_string(L, "image.save", 1, "a path");
    Tensor *t = bind_tensor(L, f, 2);
    if (t->dtype != UINT8 || (t->ndim != 2 && (t->ndim != 3 || t->dims[2] != 3)) ||
        !t->is_contiguous || t->numel == 0 || t->dims[0] > INT32_MAX || t->dims[1] > INT32_MAX)
        bind_fail_argument(L, f, 2, "a contiguous uint8 matrix of pixels");
    char error[IMAGE_ERROR];
    const uint8_t *pixels = (const uint8_t *)tensor_data(t);
    if (!image_save(path, t->dims[1], t->dims[0], t->ndim == 3, pixels, error))
        return bind_refuse(L, "%s", error);
    lua_pushboolean(L, true);
    return 1;
}

/* image_load(path, in_colour) -> uint8 [height, width] or [height, width, 3], or nil and a message */
static int core_image_load(lua_State *L)
{
    const char *path = bind_string(L, "image.load", 1, "a path");
    char error[IMAGE_ERROR];
    bool in_colour = lua_toboolean(L, 2);
    int64_t shape[3] = {0, 0, 3};
    if (!image_size(path, &shape[1], &shape[0], error))
        return bind_refuse(L, "%s", error);
    Tensor *t = bind_new_file_tensor(L, "image.load", path, UINT8, in_colour ? 3 : 2, shape);
    uint8_t *pixels = (uint8_t *)tensor_data(t);
    if (!image_load(path, shape[1], shape[0], in_colour, pixels, error))
        return bind_refuse(L, "%s", error);
    return 1;
}

static const luaL_Reg image_functions[] = {
    {"image_save", core_image_save},
    {"image_load", core_image_load},
    {NULL, NULL},
};

void bind_open_image(lua_State *L)
{
    bind_register(L, image_functions);
}
