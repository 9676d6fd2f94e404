/*
 * bind_backward.c - the walk backward over what was recorded
 *
 * First a survey numbers the nodes and leaves that are reached, and counts for each the edges by
 * which gradients will arrive (bind_survey.c). Then each node that has all of its own takes its turn
 * and passes them on to its arguments (bind_turn.c), until the gradients of the leaves are whole.
 */
#include "bind/bind_check.h"
#include "bind/bind_profile.h"
#include "bind/bind_switch.h"
#include "bind/bind_walk.h"
#include "bind/open.h"

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
            walk_bring(w, k, true);
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
    walk_push(w, MET, number);
    walk_push(w, SUM, number);
    lua_call(L, 2, 1);
    if (lua_toboolean(L, -1)) {
        lua_pushnil(L);
        walk_keep(w, SUM, number);
    }
    lua_pop(L, 1);
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
        walk_bring(w, k, false);
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
        walk_push(w, MET, k);
        walk_push(w, SUM, k);
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
    lua_settop(L, TAKE);
    luaL_checkstack(L, ROW + 16, "too many calls");
    lua_settop(L, NODE - 1);
}

/* surveys from all outputs, and gives them their seeds; returns the last node that is ready */
static int start(Walk *w)
{
    lua_State *L = w->L;
    int outputs = lua_type(L, OUTPUTS) == LUA_TTABLE ? (int)lua_rawlen(L, OUTPUTS) : 1;
    int ready = NOWHERE;
    for (int k = 0; k < outputs; k++)
        walk_add_target(w);
    for (int k = 0; k < outputs; k++) {
        int number = walk_survey(w, push_root(L, k + 1));
        w->targets[k] = number; /* which the survey may have moved */
    }
    w->last = &w->first;
    for (int k = 0; k < outputs; k++) {
        push_item(L, SEEDS, k + 1);
        walk_add(w, w->targets[k], false);
    }
    for (int k = outputs - 1; k >= 0; k--) {
        int number = w->targets[k];
        Visit *visit = &w->visits[number];
        if (visit->leads && visit->waiting == 0) {
            visit->waiting = -1; /* an output given twice starts once */
            visit->below = ready;
            ready = number;
        }
    }
    return ready;
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
        walk_take_turn(&w, number);
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
    static const char *const names[] = {"shapes", "kernels", "together", "gradients", "backward"};
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        lua_pushstring(L, names[i]);
    lua_pushcclosure(L, graph_walk, WALK_UPVALUES);
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
        {"walker", graph_walker},         {"own", graph_own},  {"pass", graph_pass},
        {"set_hooked", graph_set_hooked}, {"same", walk_same}, {NULL, NULL},
    };
    luaL_getsubtable(L, -1, "graph");
    bind_register(L, functions);
    lua_pop(L, 1);
}
