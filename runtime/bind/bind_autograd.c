/*
 * bind_autograd.c - recording what was computed
 *
 * What must be quick, since it happens at each operation of a forward pass: the node that a call
 * leaves behind; see bind_node.h.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_node.h"
#include "bind/bind_result.h"
#include "bind/bind_switch.h"
#include "bind/open.h"

/* a userdata has fewer than 65,535 user values, and an argument may take two */
enum { MAX_ARGUMENTS = 32765 };

static _Noreturn void fail_count(lua_State *L, const char *f, int count)
{
    bind_fail(L, "%s: expected at most %d arguments where gradients are recorded, got %d", f,
              MAX_ARGUMENTS, count);
}

bool bind_requires_grad(lua_State *L, int index)
{
    const Tensor *t = bind_to_tensor(L, index);
    return t != NULL && t->requires_grad;
}

bool bind_needs_grad(lua_State *L, int count)
{
    if (!bind_switch(L, SWITCH_GRAD))
        return false;
    for (int i = 1; i <= count; i++)
        if (bind_requires_grad(L, i))
            return true;
    return false;
}

void bind_check_unshared(lua_State *L, const char *f, Tensor *t)
{
    if (t->storage->viewed)
        bind_fail(L,
                  "%s: argument 1: gradients flow through a view of this tensor's memory, which a "
                  "change in place would bypass; clone() it first",
                  f);
    if (t->is_view)
        bind_fail(L,
                  "%s: argument 1: it is a view of another tensor, which the gradient of a change "
                  "in place would not reach; write t[key] = value into that tensor, or clone() the "
                  "view first",
                  f);
}

void bind_check_writable(lua_State *L, const char *f, int index, Tensor *t)
{
    if (t->requires_grad && bind_switch(L, SWITCH_GRAD)) {
        bool is_leaf = lua_getiuservalue(L, index, TENSOR_GRAD_FN) == LUA_TNIL;
        lua_pop(L, 1);
        if (is_leaf)
            bind_fail(L,
                      "%s: argument %d: a leaf that requires a gradient cannot be changed in "
                      "place; do it inside wrun.no_grad",
                      f, index);
    }
    for (int d = 0; d < t->ndim; d++)
        if (tensor_stride(t)[d] == 0 && tensor_shape(t)[d] > 1)
            bind_fail(L,
                      "%s: argument %d: an expanded tensor shows one element several times; "
                      "clone() it first",
                      f, index);
}

/* Keeps for argument i of the node on top, a tensor that wants a gradient, what that goes to. */
static void keep_edge(lua_State *L, Argument *argument, int i, int slot)
{
    argument->to_leaf = lua_getiuservalue(L, i + 1, TENSOR_GRAD_FN) == LUA_TNIL;
    if (argument->to_leaf) {
        lua_pop(L, 1);
        lua_pushvalue(L, i + 1);
    }
    lua_setiuservalue(L, -2, slot);
    argument->edge = (uint16_t)slot;
}

/* pushes the value at index as a node keeps it: of a table (sizes, a key of slices) a copy, since
 * the script may change it before the walk */
static void push_kept(lua_State *L, int index, int depth)
{
    lua_pushvalue(L, index);
    if (lua_type(L, -1) != LUA_TTABLE || depth == 0)
        return;
    int table = lua_gettop(L), count = (int)lua_rawlen(L, table);
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, table, i);
        push_kept(L, -1, depth - 1);
        lua_rawseti(L, table + 1, i);
        lua_pop(L, 1);
    }
    lua_remove(L, table);
}

static void note_argument(Argument *argument, Tensor *t, int64_t *sizes, int *next)
{
    *argument = (Argument){
        .version = t->storage->version,
        .shape_at = *next,
        .dtype = t->dtype,
        .ndim = t->ndim,
        .is_tensor = true,
    };
    shape_copy(t->ndim, sizes + *next, tensor_shape(t));
    *next += t->ndim;
}

/* while tracing: notes for the node on top which line of the script made it */
static void trace(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    lua_pushvalue(L, -2);
    if (!bind_push_location(L))
        lua_pushliteral(L, "an unknown line");
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool is_saved(uint32_t saves, int i)
{
    return i + 1 < 32 && (saves >> (i + 1) & 1) != 0;
}

/* pushes a node with room for the user values that it needs, which are still to be set */
INLINED Node *push_node(lua_State *L, int op, int count, Tensor *const *tensor, uint32_t saves,
                        const Tensor *y)
{
    size_t sizes = y->ndim;
    int slots = (op == NO_OP) + (int)(saves & 1);
    for (int i = 0; i < count; i++) {
        const Tensor *t = tensor[i];
        sizes += t != NULL ? t->ndim : 0;
        slots += (t == NULL || is_saved(saves, i)) + (t != NULL && t->requires_grad);
    }
    size_t size = sizeof(Node) + (size_t)count * sizeof(Argument) + sizes * sizeof(int64_t);
    Node *node = lua_newuserdatauv(L, size, slots);
    *node = (Node){.op = op, .count = count};
    return node;
}

/* fills in the node on top, which has its row, as bind_record says; inlined, since each caller knows
 * what kind of operation it is */
INLINED void record(lua_State *L, Node *node, Tensor *const *tensor, uint32_t saves, Tensor *y,
                    int result)
{
    int slot = node->op == NO_OP ? NODE_ROW : 0, next = 0;
    for (int i = 0; i < node->count; i++) {
        Argument *argument = &node->argument[i];
        Tensor *t = tensor[i];
        if (t != NULL)
            note_argument(argument, t, node_sizes(node), &next);
        else
            *argument = (Argument){0};
        if (t == NULL || is_saved(saves, i)) {
            push_kept(L, i + 1, 2);
            lua_setiuservalue(L, -2, ++slot);
            argument->value = (uint16_t)slot;
        }
        if (t != NULL && t->requires_grad)
            keep_edge(L, argument, i, ++slot);
    }
    note_argument(&node->result, y, node_sizes(node), &next);
    if (saves & 1) {
        lua_pushvalue(L, result);
        lua_setiuservalue(L, -2, ++slot);
        node->result.value = (uint16_t)slot;
    }
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_NODE_TYPE);
    lua_setmetatable(L, -2);
    if (bind_switch(L, SWITCH_TRACES))
        trace(L);
    lua_setiuservalue(L, result, TENSOR_GRAD_FN);
    y->requires_grad = true;
}

void bind_record_elementwise(lua_State *L, int op, int count, Tensor *const *tensor, uint32_t saves,
                             Tensor *y, int result)
{
    record(L, push_node(L, op, count, tensor, saves, y), tensor, saves, y, result);
}

void bind_record(lua_State *L, int row, int count, uint32_t saves, int result)
{
    enum { FEW = 8 };
    Tensor *few[FEW], **tensor = few;
    row = lua_absindex(L, row);
    result = lua_absindex(L, result);
    int top = lua_gettop(L);
    luaL_checkstack(L, 8, "too many arguments");
    if (count > FEW)
        tensor = lua_newuserdatauv(L, (size_t)count * sizeof *tensor, 0);
    for (int i = 0; i < count; i++)
        tensor[i] = bind_to_tensor(L, i + 1);
    Tensor *y = lua_touserdata(L, result);
    Node *node = push_node(L, NO_OP, count, tensor, saves, y);
    lua_pushvalue(L, row);
    lua_setiuservalue(L, -2, NODE_ROW);
    record(L, node, tensor, saves, y, result);
    lua_settop(L, top);
}

void bind_push_row(lua_State *L, int index)
{
    const Node *node = lua_touserdata(L, index);
    if (node->op == NO_OP) {
        lua_getiuservalue(L, index, NODE_ROW);
    } else {
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_ROWS);
        lua_geti(L, -1, node->op + 1);
        lua_remove(L, -2);
    }
}

/* ---- what Lua asks ---- */

/* record(row, saves, result, ...): makes result the output of a node with these arguments */
static int graph_record(lua_State *L)
{
    uint32_t saves = (uint32_t)lua_tointeger(L, 2);
    bind_tensor(L, "record", 3);
    lua_rotate(L, 1, -3); /* the arguments first, as bind_record wants them */
    int count = lua_gettop(L) - 3;
    if (count > MAX_ARGUMENTS)
        fail_count(L, "record", count);
    bind_record(L, count + 1, count, saves, count + 3);
    lua_settop(L, count + 3);
    return 1;
}

static int graph_is_grad_enabled(lua_State *L)
{
    lua_pushboolean(L, bind_switch(L, SWITCH_GRAD));
    return 1;
}

/* loss_dtype(x) -> the dtype of a tensor without dimensions that requires a gradient; false for any
 * other value */
static int graph_loss_dtype(lua_State *L)
{
    const Tensor *t = bind_to_tensor(L, 1);
    if (t != NULL && t->requires_grad && t->ndim == 0)
        lua_pushstring(L, dtype_info[t->dtype].name);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* traces() -> node -> its line, of nodes that were made while tracing; nil while off */
static int graph_traces(lua_State *L)
{
    if (bind_switch(L, SWITCH_TRACES))
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    else
        lua_pushnil(L);
    return 1;
}

/* set in the mask of an operation that returns its first argument changed */
static const lua_Integer IN_PLACE = (lua_Integer)1 << 32;

/*
 * The function behind every structural operation: upvalue 2 is its row, 3 the C function that
 * computes, 4 the mask of what its gradients need.
 */
static int call_recorded(lua_State *L)
{
    int count = lua_gettop(L);
    bool needs_grad = bind_needs_grad(L, count);
    if (needs_grad && count > MAX_ARGUMENTS) {
        lua_getfield(L, lua_upvalueindex(2), "name");
        fail_count(L, lua_tostring(L, -1), count);
    }
    int results = lua_tocfunction(L, lua_upvalueindex(3))(L);
    if (!needs_grad)
        return results;
    int result = lua_gettop(L) - results + 1;
    count = count < result ? count : result - 1; /* the call may have dropped surplus arguments */
    lua_Integer mask = lua_tointeger(L, lua_upvalueindex(4));
    bool in_place = (mask & IN_PLACE) != 0;
    Tensor *y = bind_to_tensor(L, result), *first = bind_to_tensor(L, 1);
    if (y == NULL || !tensor_is_float(y) || (y == first && !in_place))
        return results;
    bind_record(L, lua_upvalueindex(2), count, (uint32_t)mask, result);
    if (first != NULL && y != first && y->storage == first->storage)
        y->storage->viewed = true;
    return results;
}

/* differentiable(row, call, mask) -> call, recording itself;
 * bit 32 of the mask: the call works in place */
static int graph_differentiable(lua_State *L)
{
    lua_settop(L, 3);
    if (!lua_iscfunction(L, 2))
        bind_fail_argument(L, "differentiable", 2, "a function of the core");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, call_recorded, 4);
    return 1;
}

/* set_rows(by_number): the rows that elementwise operations record, in the order of ops.def */
static int graph_set_rows(lua_State *L)
{
    lua_settop(L, 1);
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_ROWS);
    bind_runtime(L)->has_rows = true;
    return 0;
}

static const luaL_Reg graph_functions[] = {
    {"record", graph_record},
    {"is_grad_enabled", graph_is_grad_enabled},
    {"loss_dtype", graph_loss_dtype},
    {"traces", graph_traces},
    {"differentiable", graph_differentiable},
    {"set_rows", graph_set_rows},
    {NULL, NULL},
};

/* <AddBackward0>, as a tensor's suffix has it */
static int node_tostring(lua_State *L)
{
    bind_push_row(L, 1);
    lua_getfield(L, -1, "label");
    lua_pushfstring(L, "<%s>", lua_tostring(L, -1));
    return 1;
}

void bind_open_autograd(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    lua_newtable(L);
    bind_register(L, graph_functions);
    lua_setfield(L, -2, "graph");
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_NODE_TYPE);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, node_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
