/*
 * bind_backward.c - the walk backward over what was recorded
 *
 * First a survey numbers the nodes and leaves that are reached, and counts for each the edges by
 * which gradients will arrive. Then each node that has all of its own passes them on to its
 * arguments: by the derivative in ops.def, compiled, or by the functions of its row, where the walk
 * is itself recorded or the operation is a structural one without kernels for that. A gradient that
 * the walk made itself, and gave to nobody else, is written over by the one that follows from it.
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

/* the stack of a walk: its arguments; the nodes and leaves that it met, and the sums of their
 * gradients, by number; the memory of Walk; and the node whose turn it is with its gradient and
 * row */
enum {
    OUTPUTS = 1,
    SEEDS,
    KEEP,
    WANTED,
    TAKE,
    MET,
    SUMS,
    VISITS,
    TARGETS,
    FRAMES,
    NODE,
    GRADIENT,
    ROW
};

/* what a target is besides a number */
enum { NOWHERE = -1 };

typedef struct {
    void *object; /* a node, or a leaf, which has no targets and no turn */
    int first;    /* target of its first argument */
    int waiting;  /* for so many edges */
    int below;    /* the next one that is ready */
    int next;     /* the next one that is wanted, in the order in which first gradients came */
    bool is_leaf;
    bool leads; /* to something wanted, or all is */
    bool wanted;
    bool arrived; /* a gradient, at least */
    bool owns;    /* the sum of its gradients: a tensor of this walk, which nobody else has */
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
    bool selective, keep, takes, recording, tracing;
    Profile *profile; /* or NULL */
    Visit *visits, few_visits[FEW_NODES];
    int *targets, few_targets[FEW_TARGETS];
    Frame *frames, few_frames[FEW_NODES];
    int count, visit_room, target_count, target_room, frame_room;
    int first, *last; /* of what is wanted and got a gradient; where the next one is to stand */
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

/* Is the value on top wanted? Where nothing is in particular, leaves are. */
static bool is_wanted(const Walk *w, bool is_leaf)
{
    if (!w->selective)
        return is_leaf;
    lua_pushvalue(w->L, -1);
    bool wanted = lua_rawget(w->L, WANTED) != LUA_TNIL;
    lua_pop(w->L, 1);
    return wanted;
}

/* where a node or a leaf keeps the number that it was given last, by this walk or by another */
static int *number_in(void *object, bool is_leaf)
{
    return is_leaf ? &((Tensor *)object)->number : &((Node *)object)->number;
}

/* the number of a node or leaf, NOWHERE where it has none; a finaliser may have begun a walk
 * meanwhile */
static int number_of(const Walk *w, void *object, bool is_leaf)
{
    int number = *number_in(object, is_leaf);
    if (number < w->count && w->visits[number].object == object)
        return number;
    if (bind_runtime(w->L)->walks != w->id)
        for (int k = 0; k < w->count; k++)
            if (w->visits[k].object == object)
                return k;
    return NOWHERE;
}

/* numbers the node or leaf on top and pops it */
static int meet(Walk *w, bool is_leaf)
{
    lua_State *L = w->L;
    void *object = lua_touserdata(L, -1);
    int number = w->count, arguments = is_leaf ? 0 : ((const Node *)object)->count;
    w->visits = with_room(L, VISITS, w->visits, number, &w->visit_room, sizeof *w->visits);
    w->visits[number] = (Visit){
        .object = object,
        .is_leaf = is_leaf,
        .wanted = is_wanted(w, is_leaf),
        .first = w->target_count,
        .next = NOWHERE,
    };
    for (int i = 0; i < arguments; i++) {
        w->targets =
            with_room(L, TARGETS, w->targets, w->target_count, &w->target_room, sizeof *w->targets);
        w->targets[w->target_count++] = NOWHERE;
    }
    w->count++;
    lua_rawseti(L, MET, w->count);
    return *number_in(object, is_leaf) = number;
}

/* puts a node on the path */
static void enter(Walk *w, int number, int depth)
{
    w->frames = with_room(w->L, FRAMES, w->frames, depth, &w->frame_room, sizeof *w->frames);
    w->frames[depth] = (Frame){.number = number};
}

/* everything below the node is known: does it lead to what is wanted, and who waits for it? */
static void leave(Walk *w, Visit *visit)
{
    const Node *node = visit->object;
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

/* pops the node or leaf on top and surveys what it was made from; returns its number */
static int survey(Walk *w, bool is_leaf)
{
    lua_State *L = w->L;
    int root = number_of(w, lua_touserdata(L, -1), is_leaf), depth = 0;
    if (root != NOWHERE) {
        lua_pop(L, 1);
        return root;
    }
    root = meet(w, is_leaf);
    if (!is_leaf)
        enter(w, root, depth++);
    while (depth > 0) {
        Frame *frame = &w->frames[depth - 1];
        Visit *visit = &w->visits[frame->number];
        const Node *node = visit->object;
        if (frame->next == node->count) {
            leave(w, visit);
            depth--;
            continue;
        }
        int i = frame->next++, target = visit->first + i;
        const Argument *argument = &node->argument[i];
        if (argument->edge == 0)
            continue;
        lua_rawgeti(L, MET, frame->number + 1);
        lua_getiuservalue(L, -1, argument->edge);
        int number = number_of(w, lua_touserdata(L, -1), argument->to_leaf);
        if (number != NOWHERE) {
            lua_pop(L, 2);
        } else {
            number = meet(w, argument->to_leaf);
            lua_pop(L, 1);
            if (!argument->to_leaf)
                enter(w, number, depth++);
        }
        w->targets[target] = number;
    }
    return root;
}

/* pops g, which may be the walk's own, and adds it to the sum of what has this number */
static void add(Walk *w, int number, bool is_own)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    bool may_own = !visit->wanted && !w->recording && !w->tracing;
    visit->owns = may_own && (is_own || visit->arrived);
    if (visit->arrived) {
        lua_rawgeti(L, SUMS, number + 1);
        lua_rotate(L, -2, 1);
        lua_arith(L, LUA_OPADD);
    } else if (visit->wanted) {
        *w->last = number;
        w->last = &visit->next;
    }
    visit->arrived = true;
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
    add(w, target, is_own);
}

/* by row.backward(g, edges, values), or row.together: edges has an entry for each argument that wants a gradient */
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

/* Puts what has this number and its gradient into their slots, which are the last then. The script's
 * functions, where there are some, may put another gradient in its place. */
static void bring(Walk *w, int number, bool hooked)
{
    lua_State *L = w->L;
    lua_settop(L, NODE - 1);
    lua_rawgeti(L, MET, number + 1);
    lua_rawgeti(L, SUMS, number + 1);
    if (!hooked)
        return;
    lua_pushvalue(L, lua_upvalueindex(4));
    lua_insert(L, GRADIENT);
    lua_pushvalue(L, NODE);
    lua_insert(L, -2);
    lua_call(L, 2, 1);
    lua_pushvalue(L, GRADIENT);
    lua_rawseti(L, SUMS, number + 1);
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

static void take_turn(Walk *w, int number)
{
    lua_State *L = w->L;
    Visit *visit = &w->visits[number];
    const Node *node = visit->object;
    bring(w, number, visit->arrived && node->hooked);
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
        } else if (!w->recording && push_field(L, "shapes")) {
            push_field(L, "kernels");
            pass_on_each(w, visit, true, true);
        } else if (!w->recording && push_field(L, "kernels")) {
            pass_on_each(w, visit, false, true);
        } else if (!w->recording && push_field(L, "together")) {
            pass_on_together(w, visit);
        } else if (push_field(L, "gradients")) {
            pass_on_each(w, visit, true, false);
        } else {
            push_field(L, "backward");
            pass_on_together(w, visit);
        }
        if (w->profile != NULL)
            bind_profile_leave_node(L, w->profile, call);
    }
    if (!visit->wanted) {
        lua_pushnil(L);
        lua_rawseti(L, SUMS, number + 1);
    }
}

/* gives the gradient of a leaf, which is whole, to take(leaf, g), unless hooks want it first; what
 * that takes is not kept */
static void offer(Walk *w, int number)
{
    lua_State *L = w->L;
    const Visit *visit = &w->visits[number];
    if (!visit->arrived || ((const Tensor *)visit->object)->hooked)
        return;
    lua_pushvalue(L, TAKE);
    lua_rawgeti(L, MET, number + 1);
    lua_rawgeti(L, SUMS, number + 1);
    lua_call(L, 2, 1);
    if (lua_toboolean(L, -1)) {
        lua_pushnil(L);
        lua_rawseti(L, SUMS, number + 1);
    }
    lua_pop(L, 1);
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

/* ---- gradients of leaves ---- */

/* gives the gradients of leaves, which are whole, to their hooks */
static void run_leaf_hooks(Walk *w)
{
    for (int k = w->first; k != NOWHERE; k = w->visits[k].next)
        if (w->visits[k].is_leaf && ((const Tensor *)w->visits[k].object)->hooked)
            bring(w, k, true);
}

/* adds the gradients of leaves, but for those that were taken, to their `grad`: in place, unless that
 * is recorded */
static void accumulate(Walk *w)
{
    lua_State *L = w->L;
    enum { LEAF = NODE };
    uint32_t pass = new_pass(L);
    bind_tensor(L, "backward", SEEDS)->storage->owner = pass;
    for (int k = w->first; k != NOWHERE; k = w->visits[k].next) {
        bring(w, k, false);
        if (lua_isnil(L, GRADIENT))
            continue;
        bool has_grad = lua_getiuservalue(L, LEAF, TENSOR_GRAD) != LUA_TNIL;
        lua_pushvalue(L, GRADIENT);
        if (!has_grad) {
            own(L, pass);
        } else if (w->recording) {
            lua_arith(L, LUA_OPADD);
        } else {
            lua_getfield(L, -2, "add_");
            lua_rotate(L, -3, 1);
            lua_call(L, 2, 1);
        }
        lua_setiuservalue(L, LEAF, TENSOR_GRAD);
    }
}

/* pushes the table of the gradients of what is wanted */
static void push_sums(Walk *w)
{
    lua_newtable(w->L);
    for (int k = w->first; k != NOWHERE; k = w->visits[k].next) {
        lua_rawgeti(w->L, MET, k + 1);
        lua_rawgeti(w->L, SUMS, k + 1);
        lua_rawset(w->L, -3);
    }
}

/* ---- the walk ---- */

/* pushes item k of the list in a slot, or the tensor that is there in place of a list of one */
static void push_item(lua_State *L, int slot, int k)
{
    if (lua_type(L, slot) == LUA_TTABLE)
        lua_rawgeti(L, slot, k);
    else
        lua_pushvalue(L, slot);
}

/* pushes the node that made output k, or the output, if it is a leaf, and returns true */
static bool push_root(lua_State *L, int k)
{
    push_item(L, OUTPUTS, k);
    bool is_leaf = lua_getiuservalue(L, -1, TENSOR_GRAD_FN) == LUA_TNIL;
    if (is_leaf)
        lua_pop(L, 1);
    else
        lua_remove(L, -2);
    return is_leaf;
}

/* what a walk knows before it starts; the arrays inside are filled as it goes on */
static void begin(Walk *w, lua_State *L)
{
    w->L = L;
    w->id = ++bind_runtime(L)->walks;
    w->selective = !lua_isnoneornil(L, WANTED);
    w->keep = lua_toboolean(L, KEEP);
    w->takes = !lua_isnoneornil(L, TAKE);
    w->recording = bind_switch(L, SWITCH_GRAD);
    w->tracing = bind_switch(L, SWITCH_TRACES);
    w->profile = bind_runtime(L)->profile;
    w->visits = w->few_visits;
    w->targets = w->few_targets;
    w->frames = w->few_frames;
    w->visit_room = w->frame_room = FEW_NODES;
    w->target_room = FEW_TARGETS;
    w->count = w->target_count = 0;
    w->first = NOWHERE;
    lua_settop(L, FRAMES);
    luaL_checkstack(L, 32, "too many calls");
    lua_createtable(L, FEW_NODES, 0);
    lua_replace(L, MET);
}

/* surveys from all outputs, and gives them their seeds; returns the last node that is ready */
static int start(Walk *w)
{
    lua_State *L = w->L;
    int outputs = lua_type(L, OUTPUTS) == LUA_TTABLE ? (int)lua_rawlen(L, OUTPUTS) : 1;
    int ready = NOWHERE;
    for (int k = 1; k <= outputs; k++)
        survey(w, push_root(L, k));
    lua_createtable(L, w->count, 0);
    lua_replace(L, SUMS);
    w->last = &w->first;
    for (int k = 1; k <= outputs; k++) {
        int number = survey(w, push_root(L, k));
        push_item(L, SEEDS, k);
        add(w, number, false);
    }
    for (int k = outputs; k >= 1; k--) {
        int number = survey(w, push_root(L, k));
        Visit *visit = &w->visits[number];
        if (visit->leads && visit->waiting == 0) {
            visit->waiting = -1; /* an output given twice starts once */
            visit->below = ready;
            ready = number;
        }
    }
    return ready;
}

/*
 * walk(outputs, seeds, keep, wanted, take): walks from the outputs, whose gradients are the seeds, both a
 * list or one tensor, and adds the gradients of leaves to their `grad`. Or, given the set `wanted`
 * of nodes and leaves, walks only what leads to those and returns the table of their gradients.
 * Of a leaf without hooks take(leaf, g) hears, where given, when its gradient is whole; if it returns
 * true, that is not added. Unless `keep`, what is walked is let go.
 */
static int graph_walk(lua_State *L)
{
    Walk w;
    begin(&w, L);
    for (int number = start(&w); number != NOWHERE;) {
        pool_check(bind_pool(L));
        take_turn(&w, number);
        const Visit *visit = &w.visits[number];
        Node *node = visit->object;
        if (!w.keep)
            release(L, node);
        number = visit->below;
        for (int i = 0; i < node->count; i++) {
            int target = w.targets[visit->first + i];
            if (target < 0 || --w.visits[target].waiting > 0)
                continue;
            if (w.visits[target].leads) {
                w.visits[target].below = number;
                number = target;
            } else if (w.takes) {
                offer(&w, target);
            }
        }
    }
    run_leaf_hooks(&w);
    if (w.selective)
        push_sums(&w);
    else
        accumulate(&w);
    return w.selective;
}

/* ---- what Lua calls ---- */

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

/*
 * walker(operations, refuse_nan, hook) -> walk. It calls sum and to among the operations, which
 * record themselves; while tracing refuse_nan(g, i, label, line), which looks at a gradient; and
 * hook(x, g) -> g of nodes and leaves that have hooks.
 */
static int graph_walker(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, graph_walk, 4);
    return 1;
}

/* set_hooked(x): the walk shall give the gradient of a node or leaf to `hook` */
static int graph_set_hooked(lua_State *L)
{
    Tensor *leaf = bind_to_tensor(L, 1);
    bool is_node = leaf == NULL && lua_getmetatable(L, 1) &&
                   lua_topointer(L, -1) == bind_runtime(L)->node_type;
    if (leaf != NULL)
        leaf->hooked = true;
    else if (is_node)
        ((Node *)lua_touserdata(L, 1))->hooked = true;
    else
        bind_fail_argument(L, "set_hooked", 1, "a node or a leaf");
    return 0;
}

void bind_open_backward(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"walker", graph_walker},         {"own", graph_own}, {"pass", graph_pass},
        {"set_hooked", graph_set_hooked}, {NULL, NULL},
    };
    luaL_getsubtable(L, -1, "graph");
    bind_register(L, functions);
    lua_pop(L, 1);
}
