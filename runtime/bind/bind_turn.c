/*
 * bind_turn.c - the turn of a node in a walk backward
 *
 * A node that has all of its gradient passes it on to its arguments: by the derivative in ops.def,
 * compiled, or by the functions of its row, where the walk is itself recorded or the operation is a
 * structural one without kernels for that. A gradient that the walk made itself, and gave to nobody
 * else, is written over by the one that follows from it.
 *
 * Those functions may walk the same nodes: what a walk knows of a node stands in its own Visit.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/bind_walk.h"
#include "kernels/elementwise.h"
#include "kernels/operations.h"

/* ---- the values of the node at NODE ---- */

/* A tensor of zeros with the shape and type of one that was not saved; all its elements are one
 * zero, shared by all. */
static void push_stand_in(lua_State *L, Node *node, const Argument *argument)
{
    if (lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_ZERO) == LUA_TNIL) {
        lua_pop(L, 1);
        Tensor *zero = bind_new_tensor(L, "backward", FLOAT64, 0, node_sizes(node));
        memset(tensor_data(zero), 0, sizeof(double));
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_ZERO);
    }
    View view;
    tensor_view(lua_touserdata(L, -1), &view);
    view.dtype = (DType)argument->dtype;
    view_expand(&view, argument->ndim, node_sizes(node) + argument->shape_at);
    bind_new_view(L, -1, &view);
    lua_remove(L, -2);
}

/* pushes the value of one argument, or of the result */
static void push_value(lua_State *L, Node *node, const Argument *argument)
{
    if (argument->is_tensor && argument->value == 0) {
        push_stand_in(L, node, argument);
        return;
    }
    lua_getiuservalue(L, NODE, argument->value);
    if (!argument->is_tensor)
        return;
    Tensor *t = lua_touserdata(L, -1);
    if (t->storage->version == argument->version)
        return;
    bind_push_row(L, NODE);
    lua_getfield(L, -1, "name");
    bool is_result = argument == &node->result;
    const char *which = is_result ? "result" : "argument", *name = lua_tostring(L, -1);
    bind_fail(L,
              "backward: %s %d of %s, %s, is needed for the gradient but was changed in place "
              "(version %I, saved at %I); clone() it before the change",
              which, is_result ? 1 : (int)(argument - node->argument) + 1, name,
              bind_describe(L, lua_gettop(L) - 2), (LUAI_UACINT)t->storage->version,
              (LUAI_UACINT)argument->version);
}

/*
 * Pushes the result and the arguments, as they were in the call. Of argument tensors that no
 * gradient reads there is only the shape, in a stand-in if these are wanted; of such a result, whose
 * shape is the gradient's, nothing.
 */
static void push_values(lua_State *L, Node *node, bool stand_ins)
{
    luaL_checkstack(L, 2 * node->count + 16, "too many arguments");
    for (int i = -1; i < node->count; i++) {
        const Argument *argument = i < 0 ? &node->result : &node->argument[i];
        if (argument->is_tensor && argument->value == 0 && (i < 0 || !stand_ins))
            lua_pushnil(L);
        else
            push_value(L, node, argument);
    }
}

/* ---- sums of gradients ---- */

void walk_add(Walk *w, int number, bool is_own)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    bool may_own = !visit->wanted && !w->recording && !w->tracing;
    visit->owns = may_own && (is_own || visit->arrived);
    if (visit->arrived) {
        walk_push(w, SUM, number);
        lua_rotate(L, -2, 1);
        lua_arith(L, LUA_OPADD);
    } else if (visit->wanted) {
        *w->last = number;
        w->last = &visit->next;
    }
    visit->arrived = true;
    walk_keep(w, SUM, number);
}

void walk_bring(Walk *w, int number, bool hooked)
{
    lua_State *L = w->L;
    lua_settop(L, NODE - 1);
    walk_push(w, MET, number);
    walk_push(w, SUM, number);
    if (!hooked)
        return;
    lua_pushvalue(L, lua_upvalueindex(WALK_HOOK));
    lua_insert(L, GRADIENT);
    lua_pushvalue(L, NODE);
    lua_insert(L, -2);
    lua_call(L, 2, 1);
    lua_pushvalue(L, GRADIENT);
    walk_keep(w, SUM, number);
}

/* ---- gradients of arguments ---- */

static void set_operand(lua_State *L, Node *node, const Argument *argument, Operand *out)
{
    out->is_scalar = true;
    out->scalar = (Scalar){0};
    if (argument->is_tensor && argument->value == 0)
        return;
    push_value(L, node, argument);
    if (argument->is_tensor) {
        out->is_scalar = false;
        tensor_view(lua_touserdata(L, -1), &out->view);
    } else {
        bind_to_scalar(L, -1, &out->scalar);
    }
    lua_pop(L, 1);
}

static bool passes_unchanged(const Node *node, int i)
{
    return strcmp(operations[node->op].derivative[i], "g") == 0;
}

/* pushes the gradient of argument i of an elementwise operation, in the result's shape; it may take
 * the place of the node's gradient */
static void push_compiled(lua_State *L, Node *node, int i, bool in_place)
{
    if (passes_unchanged(node, i)) {
        lua_pushvalue(L, GRADIENT);
        return;
    }
    Tensor *g = lua_touserdata(L, GRADIENT);
    Operand in[MAX_ARITY + 2];
    in[0].is_scalar = false;
    tensor_view(g, &in[0].view);
    set_operand(L, node, &node->result, &in[1]);
    for (int k = 0; k < node->count; k++)
        set_operand(L, node, &node->argument[k], &in[k + 2]);
    View out;
    if (in_place)
        lua_pushvalue(L, GRADIENT);
    else
        bind_new_tensor(L, "backward", (DType)g->dtype, g->ndim, tensor_shape(g));
    tensor_view(lua_touserdata(L, -1), &out);
    elementwise_gradient(bind_pool(L), node->op, i, (DType)g->dtype, &out, in);
}

/* Is the derivative the same compiled and as tensors: g itself or none, so that it needs no row? */
static bool is_compiled(const Walk *w, const Node *node, int i)
{
    if (node->op == NO_OP)
        return false;
    return !w->recording || passes_unchanged(node, i) ||
           strcmp(operations[node->op].derivative[i], "0") == 0;
}

/* g -> its sum over the dimensions d where reduced[d]; nothing happens where there is none */
static void sum_over(const Walk *w, const bool *reduced, bool keep)
{
    lua_State *L = w->L;
    Tensor *g = lua_touserdata(L, -1);
    int at = lua_gettop(L), count = 0;
    for (int d = 0; d < g->ndim; d++)
        count += reduced[d];
    if (count == 0)
        return;
    if (w->recording) {
        lua_getfield(L, lua_upvalueindex(WALK_OPERATIONS), "sum");
        lua_pushvalue(L, at);
        lua_createtable(L, count, 0);
        for (int d = 0, i = 0; d < g->ndim; d++)
            if (reduced[d]) {
                lua_pushinteger(L, d + 1);
                lua_rawseti(L, -2, ++i);
            }
        lua_pushboolean(L, keep);
        lua_call(L, 3, 1);
    } else {
        bind_push_sum(L, "sum", g, reduced, keep);
    }
    lua_replace(L, at);
    lua_settop(L, at);
}

/* undoes broadcasting and conversion: sums g, on top, over what was repeated, down to the shape of
 * the argument, and converts it */
static void sum_to(const Walk *w, const Argument *argument, const int64_t *shape)
{
    lua_State *L = w->L;
    bool reduced[MAX_RANK];
    int ndim = ((const Tensor *)lua_touserdata(L, -1))->ndim;
    for (int d = 0; d < ndim; d++)
        reduced[d] = d < ndim - argument->ndim;
    sum_over(w, reduced, false);
    Tensor *g = lua_touserdata(L, -1);
    for (int d = 0; d < g->ndim; d++)
        reduced[d] = shape[d] == 1 && tensor_shape(g)[d] != 1;
    sum_over(w, reduced, true);
    if (((const Tensor *)lua_touserdata(L, -1))->dtype == argument->dtype)
        return;
    lua_getfield(L, lua_upvalueindex(WALK_OPERATIONS), "to");
    lua_rotate(L, -2, 1);
    lua_pushstring(L, dtype_info[argument->dtype].name);
    lua_call(L, 2, 1);
}

/* passes the gradient on top, which is popped and may be the walk's own, on to argument i */
static void pass_on(Walk *w, const Visit *visit, int i, bool is_own)
{
    lua_State *L = w->L;
    Node *node = visit->object;
    int target = w->targets[visit->first + i];
    const Argument *argument = &node->argument[i];
    const int64_t *shape = node_sizes(node) + argument->shape_at;
    Tensor *g = bind_tensor(L, "backward", lua_gettop(L));
    if (g->dtype != argument->dtype ||
        !shape_equal(g->ndim, tensor_shape(g), argument->ndim, shape)) {
        sum_to(w, argument, shape);
        is_own = true;
    }
    if (w->tracing) {
        lua_pushvalue(L, lua_upvalueindex(WALK_REFUSE_NAN));
        lua_pushvalue(L, -2);
        lua_pushinteger(L, i + 1);
        lua_getfield(L, ROW, "label");
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
        lua_pushvalue(L, NODE);
        lua_rawget(L, -2);
        lua_remove(L, -2);
        lua_call(L, 4, 0);
    }
    walk_add(w, target, is_own);
}

/* by row.backward(g, edges, values), or row.together: edges has an entry for each argument that
 * wants a gradient */
static void pass_on_together(Walk *w, const Visit *visit)
{
    lua_State *L = w->L;
    Node *node = visit->object;
    lua_pushvalue(L, GRADIENT);
    lua_createtable(L, node->count, 1);
    for (int i = 0; i < node->count; i++) {
        lua_pushboolean(L, w->targets[visit->first + i] != NOWHERE);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushinteger(L, node->count);
    lua_setfield(L, -2, "count");
    lua_createtable(L, node->count + 1, 1);
    int values = lua_gettop(L);
    push_values(L, node, true);
    for (int k = node->count + 1; k >= 1; k--)
        lua_rawseti(L, values, k);
    lua_pushinteger(L, node->count + 1);
    lua_setfield(L, values, "n");
    lua_call(L, 3, 1);
    for (int i = 0; i < node->count; i++) {
        if (w->targets[visit->first + i] == NOWHERE)
            continue;
        lua_rawgeti(L, ROW + 1, i + 1);
        if (lua_toboolean(L, -1))
            pass_on(w, visit, i, false);
        else
            lua_pop(L, 1);
    }
}

/* tells the profile what push_compiled has read and written */
static void count_derivative(const Walk *w, Node *node)
{
    const Tensor *g = lua_touserdata(w->L, GRADIENT);
    int64_t elements = 2 * g->numel; /* g and dx */
    for (int k = -1; k < node->count; k++) {
        const Argument *argument = k < 0 ? &node->result : &node->argument[k];
        int64_t n = 0;
        if (argument->is_tensor && argument->value != 0)
            (void)shape_count(argument->ndim, node_sizes(node) + argument->shape_at, &n);
        elements += n;
    }
    bind_profile_add_derivative(w->profile, g->numel, elements * dtype_size((DType)g->dtype));
}

/* Has the tensor on top memory that is neither the gradient's nor that of the node's values, which
 * begin at `first`? */
static bool is_fresh(lua_State *L, const Node *node, int first)
{
    const Storage *storage = bind_tensor(L, "backward", lua_gettop(L))->storage;
    bool fresh = storage != ((const Tensor *)lua_touserdata(L, GRADIENT))->storage;
    for (int i = -1; i < node->count; i++) {
        const Argument *argument = i < 0 ? &node->result : &node->argument[i];
        const Tensor *value = argument->is_tensor ? lua_touserdata(L, first + 1 + i) : NULL;
        fresh &= value == NULL || value->storage != storage;
    }
    return fresh;
}

int walk_same(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

/* by row.gradients[i](g, result, arguments ...); or by row.kernels[i], of the core, likewise */
static void pass_on_each(Walk *w, Visit *visit, bool stand_ins, bool by_core)
{
    lua_State *L = w->L;
    Node *node = visit->object;
    const int *target = w->targets + visit->first;
    int gradients = lua_gettop(L), values = 0, last = node->count - 1;
    while (last > 0 && target[last] == NOWHERE)
        last--;
    for (int i = 0; i < node->count; i++) {
        if (target[i] == NOWHERE)
            continue;
        bool is_own = false;
        if (is_compiled(w, node, i)) {
            bool may_take = visit->owns && i == last, same = passes_unchanged(node, i);
            const Tensor *g = lua_touserdata(L, GRADIENT);
            push_compiled(L, node, i, may_take && g->is_contiguous);
            if (w->profile != NULL && !same)
                count_derivative(w, node);
            is_own = may_take || !same;
            visit->owns &= !same;
        } else if (lua_rawgeti(L, gradients, i + 1) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        } else if (lua_tocfunction(L, -1) == walk_same) {
            lua_pushvalue(L, GRADIENT);
            lua_replace(L, -2);
        } else {
            if (values == 0) {
                push_values(L, node, stand_ins);
                values = gradients + 1;
                lua_rotate(L, values, -1); /* the function stays on top */
            }
            lua_pushvalue(L, GRADIENT);
            for (int k = 0; k <= node->count; k++)
                lua_pushvalue(L, values + k);
            lua_call(L, node->count + 2, 1);
            is_own = by_core && is_fresh(L, node, values);
        }
        pass_on(w, visit, i, is_own);
    }
}

/* ---- the turn ---- */

/* pushes what the row at ROW has under a name, an upvalue, and returns true; or false, and nothing */
static bool push_field(lua_State *L, int name)
{
    lua_pushvalue(L, lua_upvalueindex(name));
    bool is_there = lua_rawget(L, ROW) != LUA_TNIL;
    if (!is_there)
        lua_pop(L, 1);
    return is_there;
}

static int enter_profile(const Walk *w, const Node *node)
{
    lua_getfield(w->L, ROW, "label");
    return bind_profile_enter_node(w->L, w->profile, node->layer);
}

void walk_take_turn(Walk *w, int number)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    const Node *node = visit->object;
    walk_bring(w, number, visit->arrived && node->hooked);
    visit->owns &= !node->hooked;
    if (visit->arrived) {
        bool is_compiled = node->op != NO_OP && !w->recording && !w->tracing;
        if (!is_compiled || w->profile != NULL)
            bind_push_row(L, NODE);
        else
            lua_pushnil(L);
        int call = w->profile != NULL ? enter_profile(w, node) : 0;
        if (is_compiled) {
            lua_pushnil(L);
            pass_on_each(w, visit, false, false);
        } else if (!w->recording && push_field(L, WALK_SHAPES)) {
            push_field(L, WALK_KERNELS);
            pass_on_each(w, visit, true, true);
        } else if (!w->recording && push_field(L, WALK_KERNELS)) {
            pass_on_each(w, visit, false, true);
        } else if (!w->recording && push_field(L, WALK_TOGETHER)) {
            pass_on_together(w, visit);
        } else if (push_field(L, WALK_GRADIENTS)) {
            pass_on_each(w, visit, true, false);
        } else {
            push_field(L, WALK_BACKWARD);
            pass_on_together(w, visit);
        }
        if (w->profile != NULL)
            bind_profile_leave_node(L, w->profile, call);
    }
    if (!visit->wanted) {
        lua_pushnil(L);
        walk_keep(w, SUM, number);
    }
}
