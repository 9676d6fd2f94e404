/*
 * bind_backward.c - the walk backward over what was recorded
 *
 * First a survey numbers the nodes that are reached, and counts for each the edges by which
 * gradients will arrive. Then each node that has all of its own passes them on to its arguments: by
 * the derivative in ops.def, compiled, or by the functions of its row, where the walk is itself
 * recorded or the operation is a structural one without kernels for that. A gradient that the walk
 * made itself, and gave to nobody else, is written over by the one that follows from it.
 *
 * Those functions may walk the same nodes: what a walk knows of a node stands in its own Visit, and
 * only the survey, in which no function of a row runs, asks the node for its number.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_node.h"
#include "bind/bind_profile.h"
#include "bind/bind_result.h"
#include "bind/bind_switch.h"
#include "bind/open.h"
#include "kernels/elementwise.h"

/* the stack of a walk: its arguments; the nodes and the sums of their gradients, by number; the
 * sums for those outside, by leaf or wanted node, and the leaves as they came; how many gradients each
 * leaf waits for, where `take` is to hear of it; the memory of Walk; and the node whose turn it is with its gradient and row */
enum {
    OUTPUTS = 1,
    SEEDS,
    KEEP,
    WANTED,
    TAKE,
    NODES,
    SUMS,
    RESULTS,
    LEAVES,
    ARRIVALS,
    VISITS,
    TARGETS,
    FRAMES,
    NODE,
    GRADIENT,
    ROW
};

/* what a target is besides a node's number */
enum { NOWHERE = -1, TO_LEAF = -2 };

typedef struct {
    Node *node;
    int first;   /* target of its first argument */
    int waiting; /* for so many edges */
    int below;   /* the next one that is ready */
    bool leads;  /* to something wanted, or all is */
    bool wanted;
    bool owns; /* the sum of its gradients: a tensor of this walk, which nobody else has */
} Visit;

/* a node of the path that the survey is on, and the argument it looks at next */
typedef struct {
    int number, next;
} Frame;

/* of a graph with few nodes all is known without a request of memory */
enum { FEW_NODES = 24, FEW_TARGETS = 64 };

typedef struct {
    lua_State *L;
    uint64_t id;
    bool selective, keep, recording, tracing, takes;
    Profile *profile; /* or NULL */
    Visit *visits, few_visits[FEW_NODES];
    int *targets, few_targets[FEW_TARGETS];
    Frame *frames, few_frames[FEW_NODES];
    int count, visit_room, target_count, target_room, frame_room;
    int leaves; /* so many targets are leaves */
} Walk;

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

/* ---- the survey ---- */

/* `array`, which lies in the stack's slot, with room for one more */
static void *with_room(lua_State *L, int slot, void *array, int count, int *room, size_t size)
{
    if (count < *room)
        return array;
    *room *= 2;
    void *larger = lua_newuserdatauv(L, (size_t)*room * size, 0);
    memcpy(larger, array, (size_t)count * size);
    lua_replace(L, slot);
    return larger;
}

/* Is the value on top wanted? */
static bool is_wanted(Walk *w)
{
    if (!w->selective)
        return false;
    lua_pushvalue(w->L, -1);
    bool wanted = lua_rawget(w->L, WANTED) != LUA_TNIL;
    lua_pop(w->L, 1);
    return wanted;
}

/* the number of a node, NOWHERE where it has none; a finaliser may have begun a walk meanwhile */
static int number_of(const Walk *w, const Node *node)
{
    if (node->walk == w->id)
        return node->number;
    if (bind_runtime(w->L)->walks != w->id)
        for (int k = 0; k < w->count; k++)
            if (w->visits[k].node == node)
                return k;
    return NOWHERE;
}

/* numbers the node on top, pops it, and puts it on the path */
static int enter(Walk *w, int depth)
{
    lua_State *L = w->L;
    Node *node = lua_touserdata(L, -1);
    w->visits = with_room(L, VISITS, w->visits, w->count, &w->visit_room, sizeof *w->visits);
    w->frames = with_room(L, FRAMES, w->frames, depth, &w->frame_room, sizeof *w->frames);
    w->visits[w->count] = (Visit){.node = node, .first = w->target_count, .wanted = is_wanted(w)};
    for (int i = 0; i < node->count; i++) {
        w->targets =
            with_room(L, TARGETS, w->targets, w->target_count, &w->target_room, sizeof *w->targets);
        w->targets[w->target_count++] = NOWHERE;
    }
    w->frames[depth] = (Frame){.number = w->count};
    node->walk = w->id;
    node->number = w->count++;
    lua_rawseti(L, NODES, node->number + 1);
    return node->number;
}

/* adds to the gradients that the leaf on top waits for, and returns how many these are */
static lua_Integer count_arrivals(lua_State *L, int more)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, ARRIVALS);
    lua_Integer count = lua_tointeger(L, -1) + more;
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushinteger(L, count);
    lua_rawset(L, ARRIVALS);
    return count;
}

/* everything below the node is known: does it lead to what is wanted, and who waits for it? */
static void leave(Walk *w, Visit *visit)
{
    Node *node = visit->node;
    int *target = w->targets + visit->first;
    visit->leads = !w->selective;
    for (int i = 0; i < node->count; i++) {
        if (target[i] >= 0 && !w->visits[target[i]].leads && !w->visits[target[i]].wanted)
            target[i] = NOWHERE;
        visit->leads |= target[i] != NOWHERE;
    }
    if (!visit->leads)
        return;
    if (node->released)
        bind_fail(w->L, "backward: this graph was walked already and its values are gone; pass "
                        "retain_graph = true the first time");
    for (int i = 0; i < node->count; i++)
        if (target[i] >= 0)
            w->visits[target[i]].waiting++;
}

/* pops the node on top and surveys what it was made from; returns its number */
static int survey(Walk *w)
{
    lua_State *L = w->L;
    int known = number_of(w, lua_touserdata(L, -1));
    if (known >= 0) {
        lua_pop(L, 1);
        return known;
    }
    int root = enter(w, 0);
    for (int depth = 1; depth > 0;) {
        Frame *frame = &w->frames[depth - 1];
        Visit *visit = &w->visits[frame->number];
        if (frame->next == visit->node->count) {
            leave(w, visit);
            depth--;
            continue;
        }
        int i = frame->next++, target = visit->first + i;
        const Argument *argument = &visit->node->argument[i];
        if (argument->edge == 0)
            continue;
        lua_rawgeti(L, NODES, frame->number + 1);
        lua_getiuservalue(L, -1, argument->edge);
        if (argument->to_leaf) {
            w->targets[target] = !w->selective || is_wanted(w) ? TO_LEAF : NOWHERE;
            w->leaves++;
            if (w->takes)
                count_arrivals(L, 1);
            lua_pop(L, 2);
            continue;
        }
        int number = number_of(w, lua_touserdata(L, -1));
        if (number >= 0)
            lua_pop(L, 1);
        else
            number = enter(w, depth++);
        lua_pop(L, 1);
        w->targets[target] = number;
    }
    return root;
}

/* ---- sums ---- */

/* leaf, g -> nothing; adds g to the leaf's sum */
static void add_to_leaf(lua_State *L)
{
    lua_pushvalue(L, -2);
    if (lua_rawget(L, RESULTS) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        lua_rawseti(L, LEAVES, (lua_Integer)lua_rawlen(L, LEAVES) + 1);
    } else {
        lua_rotate(L, -2, 1);
        lua_arith(L, LUA_OPADD);
    }
    lua_rawset(L, RESULTS);
}

/* pops g, which may be the walk's own, and adds it to the sum of a node */
static void add_to_node(Walk *w, int number, bool is_own)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    bool may_own = !visit->wanted && !w->recording && !w->tracing;
    visit->owns = may_own && is_own;
    if (lua_rawgeti(L, SUMS, number + 1) == LUA_TNIL) {
        lua_pop(L, 1);
    } else {
        visit->owns = may_own;
        lua_rotate(L, -2, 1);
        lua_arith(L, LUA_OPADD);
    }
    lua_rawseti(L, SUMS, number + 1);
}

/* ---- gradients ---- */

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
        lua_getfield(L, lua_upvalueindex(2), "sum");
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
    lua_getfield(L, lua_upvalueindex(2), "to");
    lua_rotate(L, -2, 1);
    lua_pushstring(L, dtype_info[argument->dtype].name);
    lua_call(L, 2, 1);
}

/* passes the gradient on top, which is popped and may be the walk's own, on to argument i */
static void pass_on(Walk *w, const Visit *visit, int i, bool is_own)
{
    lua_State *L = w->L;
    Node *node = visit->node;
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
        lua_pushvalue(L, lua_upvalueindex(3));
        lua_pushvalue(L, -2);
        lua_pushinteger(L, i + 1);
        lua_getfield(L, ROW, "label");
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
        lua_pushvalue(L, NODE);
        lua_rawget(L, -2);
        lua_remove(L, -2);
        lua_call(L, 4, 0);
    }
    if (target != TO_LEAF) {
        add_to_node(w, target, is_own);
        return;
    }
    lua_getiuservalue(L, NODE, argument->edge);
    lua_rotate(L, -2, 1);
    add_to_leaf(L);
}

/* by row.backward(g, edges, values): edges has an entry for each argument that wants a gradient */
static void pass_on_together(Walk *w, const Visit *visit)
{
    lua_State *L = w->L;
    Node *node = visit->node;
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

/* Has the tensor on top memory that is neither the gradient's nor that of the `count` values from
 * `first`? */
static bool is_fresh(lua_State *L, int first, int count)
{
    const Storage *storage = bind_tensor(L, "backward", lua_gettop(L))->storage;
    bool fresh = storage != ((const Tensor *)lua_touserdata(L, GRADIENT))->storage;
    for (int k = 0; k < count; k++) {
        const Tensor *value = bind_to_tensor(L, first + k);
        fresh &= value == NULL || value->storage != storage;
    }
    return fresh;
}

/* by row.gradients[i](g, result, arguments ...); or by row.kernels[i], of the core, likewise */
static void pass_on_each(Walk *w, Visit *visit, bool stand_ins, bool by_core)
{
    lua_State *L = w->L;
    Node *node = visit->node;
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
            is_own = by_core && is_fresh(L, values, node->count + 1);
        }
        pass_on(w, visit, i, is_own);
    }
}

/* gives the gradient to the script's functions, which may put another in its place */
static void run_hooks(Walk *w, int number)
{
    lua_State *L = w->L;
    lua_pushvalue(L, lua_upvalueindex(4));
    lua_pushvalue(L, NODE);
    lua_pushvalue(L, GRADIENT);
    lua_call(L, 2, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, SUMS, number + 1);
    lua_replace(L, GRADIENT);
}

/* pushes what the row at ROW has under a name, and returns true; or false, and nothing */
static bool push_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
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

/* One gradient fewer is to come to the leaf of argument i of the node at NODE. The last one makes it
 * whole: take(leaf, g) is called, and has taken it where it says so. */
static void arrive(Walk *w, const Node *node, int i)
{
    lua_State *L = w->L;
    lua_getiuservalue(L, NODE, node->argument[i].edge);
    if (count_arrivals(L, -1) == 0) {
        lua_pushvalue(L, TAKE);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -3);
        if (lua_rawget(L, RESULTS) != LUA_TNIL) {
            lua_call(L, 2, 1);
            if (lua_toboolean(L, -1)) {
                lua_pushvalue(L, -2);
                lua_pushnil(L);
                lua_rawset(L, RESULTS);
            }
        }
    }
    lua_settop(L, ROW);
}

static void take_turn(Walk *w, int number)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    lua_rawgeti(L, NODES, number + 1);
    lua_replace(L, NODE);
    bool arrived = lua_rawgeti(L, SUMS, number + 1) != LUA_TNIL;
    lua_replace(L, GRADIENT);
    if (arrived) {
        if (visit->node->hooked) {
            run_hooks(w, number);
            visit->owns = false;
        }
        bool is_compiled = visit->node->op != NO_OP && !w->recording && !w->tracing;
        if (!is_compiled || w->profile != NULL) {
            bind_push_row(L, NODE);
            lua_replace(L, ROW);
        }
        int call = w->profile != NULL ? enter_profile(w, visit->node) : 0;
        if (is_compiled) {
            lua_pushnil(L);
            pass_on_each(w, visit, false, false);
        } else if (!w->recording && push_field(L, "shapes")) {
            push_field(L, "kernels");
            pass_on_each(w, visit, true, true);
        } else if (!w->recording && push_field(L, "kernels")) {
            pass_on_each(w, visit, false, true);
        } else if (push_field(L, "gradients")) {
            pass_on_each(w, visit, true, false);
        } else {
            push_field(L, "backward");
            pass_on_together(w, visit);
        }
        lua_settop(L, ROW);
        if (w->profile != NULL)
            bind_profile_leave_node(L, w->profile, call);
    }
    if (!visit->wanted) {
        lua_pushnil(L);
        lua_rawseti(L, SUMS, number + 1);
    }
}

/* Lets go of the tensors that the node holds; a second walk over it is then refused. The edges stay:
 * another walk asks by them whether the node leads to what it wants. */
static void release(lua_State *L, Node *node)
{
    for (int i = -1; i < node->count; i++) {
        const Argument *argument = i < 0 ? &node->result : &node->argument[i];
        if (!argument->is_tensor || argument->value == 0)
            continue;
        lua_pushnil(L);
        lua_setiuservalue(L, NODE, argument->value);
        node->released = true;
    }
}

/* ---- the walk ---- */

static void make_table(lua_State *L, int slot, int items, int fields)
{
    lua_createtable(L, items, fields);
    lua_replace(L, slot);
}

/* surveys from all outputs, and gives them their seeds; returns the last node that is ready */
static int start(Walk *w)
{
    lua_State *L = w->L;
    int outputs = (int)lua_rawlen(L, OUTPUTS), ready = NOWHERE;
    for (int k = 1; k <= outputs; k++) {
        lua_rawgeti(L, OUTPUTS, k);
        if (lua_getiuservalue(L, -1, TENSOR_GRAD_FN) == LUA_TNIL)
            w->leaves++;
        else
            survey(w);
        lua_settop(L, ROW);
    }
    make_table(L, SUMS, w->count, 0);
    make_table(L, RESULTS, 0, w->leaves + w->selective * outputs);
    make_table(L, LEAVES, w->leaves, 0);
    for (int k = 1; k <= outputs; k++) {
        lua_rawgeti(L, OUTPUTS, k);
        bool is_leaf = lua_getiuservalue(L, -1, TENSOR_GRAD_FN) == LUA_TNIL;
        int number = is_leaf ? NOWHERE : number_of(w, lua_touserdata(L, -1));
        lua_pop(L, 1);
        lua_rawgeti(L, SEEDS, k);
        if (is_leaf)
            add_to_leaf(L);
        else
            add_to_node(w, number, false);
        lua_settop(L, ROW);
    }
    for (int k = outputs; k >= 1; k--) {
        lua_rawgeti(L, OUTPUTS, k);
        if (lua_getiuservalue(L, -1, TENSOR_GRAD_FN) != LUA_TNIL) {
            int number = number_of(w, lua_touserdata(L, -1));
            Visit *visit = &w->visits[number];
            if (visit->leads && visit->waiting == 0) {
                visit->waiting = -1; /* an output given twice starts once */
                visit->below = ready;
                ready = number;
            }
        }
        lua_pop(L, 2);
    }
    return ready;
}

/*
 * walk(outputs, seeds, keep, wanted, take) -> sums, leaves: walks from the outputs, whose gradients are
 * the seeds, and returns the gradients of leaves, by leaf, with the leaves in order of arrival. Or,
 * given the set `wanted` of nodes and leaves, walks only what leads to those and returns theirs. Of a
 * leaf take(leaf, g) hears, where given, when its gradient is whole; if it returns true, that is left
 * out of sums. Unless `keep`, what is walked is let go.
 */
static int graph_walk(lua_State *L)
{
    Walk w;
    w.L = L;
    w.id = ++bind_runtime(L)->walks;
    w.selective = !lua_isnoneornil(L, WANTED);
    w.keep = lua_toboolean(L, KEEP);
    w.takes = !lua_isnoneornil(L, TAKE);
    w.recording = bind_switch(L, SWITCH_GRAD);
    w.tracing = bind_switch(L, SWITCH_TRACES);
    w.profile = bind_runtime(L)->profile;
    w.visits = w.few_visits;
    w.targets = w.few_targets;
    w.frames = w.few_frames;
    w.visit_room = w.frame_room = FEW_NODES;
    w.target_room = FEW_TARGETS;
    w.count = w.target_count = w.leaves = 0;
    lua_settop(L, ROW);
    luaL_checkstack(L, 32, "too many calls");
    make_table(L, NODES, FEW_NODES, 0);
    if (w.takes)
        make_table(L, ARRIVALS, 0, FEW_NODES);
    for (int number = start(&w); number != NOWHERE;) {
        pool_check(bind_pool(L));
        take_turn(&w, number);
        Visit *visit = &w.visits[number];
        if (!w.keep)
            release(L, visit->node);
        number = visit->below;
        for (int i = 0; i < visit->node->count; i++) {
            int target = w.targets[visit->first + i];
            if (target == TO_LEAF && w.takes)
                arrive(&w, visit->node, i);
            else if (target >= 0 && --w.visits[target].waiting == 0 && w.visits[target].leads) {
                w.visits[target].below = number;
                number = target;
            }
        }
    }
    for (int k = 0; w.selective && k < w.count; k++) {
        if (!w.visits[k].wanted)
            continue;
        lua_rawgeti(L, NODES, k + 1);
        lua_rawgeti(L, SUMS, k + 1);
        lua_rawset(L, RESULTS);
    }
    lua_settop(L, LEAVES);
    return 2;
}

/* ---- gradients that are their own ---- */

static uint32_t new_pass(lua_State *L)
{
    return (uint32_t)++bind_runtime(L)->walks;
}

/* Puts a copy in place of g, on top, unless its memory is contiguous and the pass gave it to nobody;
 * now it has. */
static void own(lua_State *L, uint32_t pass)
{
    Tensor *g = bind_tensor(L, "backward", lua_gettop(L));
    if (g->storage->owner == pass || !g->is_contiguous) {
        lua_getfield(L, -1, "clone");
        lua_rotate(L, -2, 1);
        lua_call(L, 1, 1);
        g = lua_touserdata(L, -1);
    }
    g->storage->owner = pass;
}

/* pass() -> the number of a new pass, for own */
static int graph_pass(lua_State *L)
{
    lua_pushinteger(L, new_pass(L));
    return 1;
}

/* own(g, pass) -> g, or a copy of it where the pass gave its memory away already */
static int graph_own(lua_State *L)
{
    uint32_t pass = (uint32_t)lua_tointeger(L, 2);
    lua_settop(L, 1);
    own(L, pass);
    return 1;
}

/* accumulate(sums, leaves, seed, recorded): adds the sums that leaves have to their `grad`: in place,
 * unless that is recorded */
static int graph_accumulate(lua_State *L)
{
    enum { SUMS_OF = 1, LIST, SEED, RECORDED, LEAF };
    lua_settop(L, RECORDED);
    uint32_t pass = new_pass(L);
    bind_tensor(L, "backward", SEED)->storage->owner = pass;
    int count = (int)lua_rawlen(L, LIST);
    for (int k = 1; k <= count; k++) {
        lua_rawgeti(L, LIST, k);
        bool has_grad = lua_getiuservalue(L, LEAF, TENSOR_GRAD) != LUA_TNIL;
        lua_pushvalue(L, LEAF);
        if (lua_rawget(L, SUMS_OF) == LUA_TNIL) {
            lua_settop(L, RECORDED);
            continue;
        }
        if (!has_grad) {
            own(L, pass);
        } else if (lua_toboolean(L, RECORDED)) {
            lua_arith(L, LUA_OPADD);
        } else {
            lua_getfield(L, -2, "add_");
            lua_rotate(L, -3, 1);
            lua_call(L, 2, 1);
        }
        lua_setiuservalue(L, LEAF, TENSOR_GRAD);
        lua_settop(L, RECORDED);
    }
    return 0;
}

/*
 * walker(operations, refuse_nan, hook) -> walk. It calls sum and to among the operations, which
 * record themselves; while tracing refuse_nan(g, i, label, line), which looks at a gradient; and
 * hook(node, g) -> g of nodes that have hooks.
 */
static int graph_walker(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, graph_walk, 4);
    return 1;
}

/* set_hooked(node): the walk shall give its gradient to `hook` */
static int graph_set_hooked(lua_State *L)
{
    Node *node = lua_touserdata(L, 1);
    bool is_node = node != NULL && lua_getmetatable(L, 1) &&
                   lua_topointer(L, -1) == bind_runtime(L)->node_type;
    if (!is_node)
        bind_fail_argument(L, "set_hooked", 1, "a node");
    node->hooked = true;
    return 0;
}

void bind_open_backward(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"walker", graph_walker},
        {"own", graph_own},
        {"pass", graph_pass},
        {"accumulate", graph_accumulate},
        {"set_hooked", graph_set_hooked},
        {NULL, NULL},
    };
    luaL_getsubtable(L, -1, "graph");
    bind_register(L, functions);
    lua_pop(L, 1);
}
