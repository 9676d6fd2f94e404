/*
 * open.h - the bindings that make up the core module, each by the function that opens it
 *
 * As in Lua's lualib.h: each is defined in the file of its name, and core.c has the table of them.
 * Each adds its functions to the table on top of the stack.
 */
#ifndef OPEN_H
#define OPEN_H

#include <lua.h>

void bind_open_tensor(lua_State *L);
void bind_open_create(lua_State *L);
void bind_open_view(lua_State *L);
void bind_open_elementwise(lua_State *L);
void bind_open_reduce(lua_State *L);
void bind_open_scan(lua_State *L);
void bind_open_sort(lua_State *L);
void bind_open_linalg(lua_State *L);
void bind_open_linalg_factor(lua_State *L);
void bind_open_index(lua_State *L);
void bind_open_join(lua_State *L);
void bind_open_generator(lua_State *L);
void bind_open_random(lua_State *L);
void bind_open_neural(lua_State *L);
void bind_open_optim(lua_State *L);
void bind_open_rbm(lua_State *L);
void bind_open_switch(lua_State *L);
void bind_open_autograd(lua_State *L);
void bind_open_backward(lua_State *L);
void bind_open_digest(lua_State *L);
void bind_open_text(lua_State *L);
void bind_open_idx(lua_State *L);
void bind_open_npy(lua_State *L);
void bind_open_safetensors(lua_State *L);
void bind_open_torch(lua_State *L);
void bind_open_csv(lua_State *L);
void bind_open_records(lua_State *L);
void bind_open_download(lua_State *L);
void bind_open_folder(lua_State *L);
void bind_open_terminal(lua_State *L);
void bind_open_process(lua_State *L);
void bind_open_image(lua_State *L);
void bind_open_profile(lua_State *L);
void bind_open_mpi(lua_State *L);

#endif
