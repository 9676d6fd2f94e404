/*
 * bind_autograd.c - recording what was computed
 *
 * A Node stands for one call of a differentiable operation. Its user values hold the operation's
 * row (see lua/wrun/derivatives.lua), the values that its gradients need, and an edge for each
 * argument that wants a gradient: the node that made the argument, or the argument itself where
 * that is a leaf. The walk backward is lua/wrun/autograd.lua; here is only what must be quick,
 * since it happens at each operation of a forward pass.
 *
 * Invariant: a saved tensor's storage has the version noted beside it, or the walk is refused.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/bind_switch.h"
#include "bind/open.h"
#include "kernels/elementwise.h"

typedef struct {
    int64_t version; /* of the saved tensor */
    bool is_tensor, saved;
    uint8_t dtype, ndim;
    int shape_at; /* first size of this argument in the node's list of sizes */
} Argument;

typedef struct {
    int count;
    bool released;
    Argument result;
    Argument argument[]; /* then the sizes of all arguments */
} Node;

/* user values of a node */
enum { NODE_ROW = 1, NODE_RESULT, NODE_VALUES };

/* a userdata has fewer than 65,535 user values */
enum { MAX_ARGUMENTS = (65534 - NODE_VALUES) / 2 };

static _Noreturn void fail_count(lua_State *L, const char *f, int count)
{
    bind_fail(L, "%s: expected at most %d arguments where gradients are recorded, got %d", f,
              MAX_ARGUMENTS, count);
}

static int value_of(int i)
{
    return NODE_VALUES + i;
}

static int edge_of(const Node *node, int i)
{
    return NODE_VALUES + node->count + i;
}

static int64_t *sizes_of(Node *node)
{
    return (int64_t *)(void *)&node->argument[node->count];
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

/* pushes what the gradient of the tensor at index goes to:
 * its node, itself if a leaf, nil if it wants none */
static void push_edge(lua_State *L, int index, const Tensor *t)
{
    if (!t->requires_grad)
        lua_pushnil(L);
    else if (lua_getiuservalue(L, index, TENSOR_GRAD_FN) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, index);
    }
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

static void note_argument(Argument *argument, Tensor *t, bool saved, int64_t *sizes, int *next)
{
    *argument = (Argument){
        .version = t->storage->version,
        .is_tensor = true,
        .saved = saved,
        .dtype = t->dtype,
        .ndim = t->ndim,
        .shape_at = *next,
    };
    memcpy(sizes + *next, tensor_shape(t), t->ndim * sizeof(int64_t));
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

void bind_record(lua_State *L, int row, int count, uint32_t saves, int result)
{
    size_t sizes = 0;
    for (int i = 1; i <= count; i++) {
        const Tensor *t = bind_to_tensor(L, i);
        sizes += t != NULL ? t->ndim : 0;
    }
    row = lua_absindex(L, row);
    result = lua_absindex(L, result);
    Tensor *y = lua_touserdata(L, result);
    sizes += y->ndim;
    size_t size = sizeof(Node) + (size_t)count * sizeof(Argument) + sizes * sizeof(int64_t);
    luaL_checkstack(L, 8, "too many arguments");
    Node *node = lua_newuserdatauv(L, size, NODE_VALUES + 2 * count);
    memset(node, 0, sizeof *node + (size_t)count * sizeof(Argument));
    node->count = count;
    lua_pushvalue(L, row);
    lua_setiuservalue(L, -2, NODE_ROW);
    int next = 0;
    for (int i = 0; i < count; i++) {
        Tensor *t = bind_to_tensor(L, i + 1);
        bool saved = i + 1 < 32 && (saves >> (i + 1) & 1) != 0;
        if (t != NULL)
            note_argument(&node->argument[i], t, saved, sizes_of(node), &next);
        if (t == NULL || saved) {
            push_kept(L, i + 1, 2);
            lua_setiuservalue(L, -2, value_of(i));
        }
        if (t != NULL && t->requires_grad) {
            push_edge(L, i + 1, t);
            lua_setiuservalue(L, -2, edge_of(node, i));
        }
    }
    note_argument(&node->result, y, (saves & 1) != 0, sizes_of(node), &next);
    if (node->result.saved) {
        lua_pushvalue(L, result);
        lua_setiuservalue(L, -2, NODE_RESULT);
    }
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_NODE_TYPE);
    lua_setmetatable(L, -2);
    if (bind_switch(L, SWITCH_TRACES))
        trace(L);
    lua_setiuservalue(L, result, TENSOR_GRAD_FN);
    y->requires_grad = true;
}

/* ---- what autograd.lua asks of a node ---- */

static Node *check_node(lua_State *L, const char *f, int index)
{
    if (lua_type(L, index) == LUA_TUSERDATA && lua_getmetatable(L, index)) {
        bool same = lua_topointer(L, -1) == bind_runtime(L)->node_type;
        lua_pop(L, 1);
        if (same)
            return lua_touserdata(L, index);
    }
    bind_fail_argument(L, f, index, "a node of the graph");
}

static Node *check_live_node(lua_State *L, const char *f, int index)
{
    Node *node = check_node(L, f, index);
    if (node->released)
        bind_fail(L, "backward: this graph was walked already and its values are gone; pass "
                     "retain_graph = true the first time");
    return node;
}

/* A tensor of zeros with the shape and type of one that was not saved; all its elements are one
 * zero, shared by all. */
static void push_stand_in(lua_State *L, Node *node, const Argument *argument)
{
    if (lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_ZERO) == LUA_TNIL) {
        lua_pop(L, 1);
        Tensor *zero = bind_new_tensor(L, "backward", FLOAT64, 0, sizes_of(node));
        memset(tensor_data(zero), 0, sizeof(double));
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_ZERO);
    }
    View view;
    tensor_view(lua_touserdata(L, -1), &view);
    view.dtype = (DType)argument->dtype;
    view_expand(&view, argument->ndim, sizes_of(node) + argument->shape_at);
    bind_new_view(L, -1, &view);
    lua_remove(L, -2);
}

/* pushes the value of one argument (or the result) of the node at index 1 */
static void push_value(lua_State *L, Node *node, const Argument *argument, int slot)
{
    if (argument->is_tensor && !argument->saved) {
        push_stand_in(L, node, argument);
        return;
    }
    lua_getiuservalue(L, 1, slot);
    if (!argument->is_tensor)
        return;
    Tensor *t = lua_touserdata(L, -1);
    if (t->storage->version == argument->version)
        return;
    lua_getiuservalue(L, 1, NODE_ROW);
    lua_getfield(L, -1, "name");
    const char *which = slot == NODE_RESULT ? "result" : "argument", *name = lua_tostring(L, -1);
    bind_fail(L,
              "backward: %s %d of %s, %s, is needed for the gradient but was changed in place "
              "(version %I, saved at %I); clone() it before the change",
              which, slot == NODE_RESULT ? 1 : slot - NODE_VALUES + 1, name,
              bind_describe(L, lua_gettop(L) - 2), (LUAI_UACINT)t->storage->version,
              (LUAI_UACINT)argument->version);
}

/*
 * saved(node) -> result, arguments: as they were in the call. Of argument tensors that no gradient
 * reads there is only the shape, of such a result (whose shape is the gradient's) nothing.
 */
static int graph_saved(lua_State *L)
{
    Node *node = check_live_node(L, "saved", 1);
    luaL_checkstack(L, node->count + 8, "too many arguments");
    if (node->result.saved)
        push_value(L, node, &node->result, NODE_RESULT);
    else
        lua_pushnil(L);
    for (int i = 0; i < node->count; i++)
        push_value(L, node, &node->argument[i], value_of(i));
    return node->count + 1;
}

/* edges(node, walked_too) -> a table: argument -> the node or leaf its gradient goes to, and the
 * number of arguments; raises for a node that was walked, unless walked_too */
static int graph_edges(lua_State *L)
{
    Node *node = (lua_toboolean(L, 2) ? check_node : check_live_node)(L, "edges", 1);
    lua_createtable(L, node->count, 0);
    for (int i = 0; i < node->count; i++) {
        if (lua_getiuservalue(L, 1, edge_of(node, i)) == LUA_TNIL)
            lua_pop(L, 1);
        else
            lua_rawseti(L, -2, i + 1);
    }
    lua_pushinteger(L, node->count);
    return 2;
}

static int graph_row(lua_State *L)
{
    check_node(L, "row", 1);
    lua_getiuservalue(L, 1, NODE_ROW);
    return 1;
}

/* release(node): lets go of the values that the node holds; a second walk is refused. The edges
 * stay: another walk asks by them whether the node leads to what it wants. */
static int graph_release(lua_State *L)
{
    Node *node = check_node(L, "release", 1);
    node->released = true;
    for (int slot = NODE_RESULT; slot < NODE_VALUES + node->count; slot++) {
        lua_pushnil(L);
        lua_setiuservalue(L, 1, slot);
    }
    return 0;
}

/* fits(node, i, g): has g the shape and type of argument i? If not, also that shape and type */
static int graph_fits(lua_State *L)
{
    Node *node = check_live_node(L, "fits", 1);
    const Argument *argument = &node->argument[lua_tointeger(L, 2) - 1];
    Tensor *g = bind_tensor(L, "fits", 3);
    const int64_t *shape = sizes_of(node) + argument->shape_at;
    if (g->dtype == argument->dtype &&
        shape_equal(g->ndim, tensor_shape(g), argument->ndim, shape)) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushboolean(L, false);
    bind_push_sizes(L, argument->ndim, shape);
    lua_pushstring(L, dtype_info[argument->dtype].name);
    return 3;
}

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

/* traces() -> node -> its line, of nodes that were made while tracing; nil while off */
static int graph_traces(lua_State *L)
{
    if (bind_switch(L, SWITCH_TRACES))
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    else
        lua_pushnil(L);
    return 1;
}

/* storage(t) -> the identity of its memory, as a key */
static int graph_storage(lua_State *L)
{
    lua_pushlightuserdata(L, bind_tensor(L, "storage", 1)->storage);
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
    bool in_place = (lua_tointeger(L, lua_upvalueindex(4)) & IN_PLACE) != 0;
    Tensor *y = bind_to_tensor(L, result), *first = bind_to_tensor(L, 1);
    if (y == NULL || !tensor_is_float(y) || (y == first && !in_place))
        return results;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, result);
    bind_record(L, result, count, (uint32_t)lua_tointeger(L, lua_upvalueindex(4)), result + 1);
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
    return 0;
}

/* ---- the fused gradient of an elementwise operation ---- */

static void set_operand(lua_State *L, Node *node, const Argument *argument, int slot, Operand *out)
{
    out->is_scalar = true;
    out->scalar = (Scalar){0};
    if (argument->is_tensor && !argument->saved)
        return;
    push_value(L, node, argument, slot);
    if (argument->is_tensor) {
        out->is_scalar = false;
        tensor_view(lua_touserdata(L, -1), &out->view);
    } else {
        bind_to_scalar(L, -1, &out->scalar);
    }
    lua_pop(L, 1);
}

/* fused_gradient(node, i, g, op) -> the gradient of argument i in the result's shape */
static int graph_fused_gradient(lua_State *L)
{
    Node *node = check_live_node(L, "fused_gradient", 1);
    int i = (int)lua_tointeger(L, 2) - 1;
    Tensor *g = bind_tensor(L, "fused_gradient", 3);
    int op = (int)lua_tointeger(L, 4) - 1;
    Operand in[MAX_ARITY + 2];
    in[0].is_scalar = false;
    tensor_view(g, &in[0].view);
    set_operand(L, node, &node->result, NODE_RESULT, &in[1]);
    for (int k = 0; k < node->count; k++)
        set_operand(L, node, &node->argument[k], value_of(k), &in[k + 2]);
    View out;
    tensor_view(bind_new_tensor(L, "backward", (DType)g->dtype, g->ndim, tensor_shape(g)), &out);
    elementwise_gradient(bind_runtime(L)->pool, op, i, (DType)g->dtype, &out, in);
    return 1;
}

static const luaL_Reg graph_functions[] = {
    {"saved", graph_saved},
    {"edges", graph_edges},
    {"row", graph_row},
    {"release", graph_release},
    {"fits", graph_fits},
    {"record", graph_record},
    {"is_grad_enabled", graph_is_grad_enabled},
    {"traces", graph_traces},
    {"storage", graph_storage},
    {"differentiable", graph_differentiable},
    {"set_rows", graph_set_rows},
    {"fused_gradient", graph_fused_gradient},
    {NULL, NULL},
};

/* <AddBackward0>, as a tensor's suffix has it */
static int node_tostring(lua_State *L)
{
    check_node(L, "tostring", 1);
    lua_getiuservalue(L, 1, NODE_ROW);
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
