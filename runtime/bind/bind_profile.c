/*
 * bind_profile.c - counts and times what a script computes, for `wrun --profile`
 *
 * A script that is not profiled pays nothing: where the registry asks for a profile when the core is
 * opened, each function that computes is replaced by one that calls it and notes what it took. So
 * does what calls a module (lua/wrun/nn/hooks.lua), and the walk backward, which knows of each node
 * in which layer it was recorded.
 *
 * Calls that are open stand on a stack of their own. An error leaves them there: a call is over once
 * another one stands at its place of C's stack.
 *
 * The collector is asked to work after each function, where its time can be taken.
 */
#include "bind/bind_profile.h"

#include <string.h>
#include <time.h>

#include "bind/bind_node.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/operations.h"

typedef enum { OPERATION, LAYER, COLLECTOR, KINDS } Timed;

static const char *const kinds[] = {"operation", "layer", "collector"};

enum {
    DEEPEST = 256, /* more than Lua lets C functions call one another */
    MAX_EVENTS = 1 << 20,
};

/* what is counted of an operation, of a layer, or of the collector */
typedef struct {
    int64_t calls, bytes, flops;
    double seconds, backward; /* without what it calls; the latter in the walk backward */
} Totals;

/* a call that is open */
typedef struct {
    const char *place; /* in C's stack, which grows downwards */
    Timed kind;
    int number, layer;
    bool backward;
    double begin, inside; /* the latter: what it calls took so many seconds */
    int64_t bytes, flops;
} Call;

typedef struct {
    Timed kind;
    int number, layer;
    float seconds;
    double begin;
    int64_t bytes, flops;
} Event;

/* Numbers count from 1; layer 0 is none. */
struct Profile {
    double begin;
    int depth;
    Call calls[DEEPEST];
    Totals *totals[KINDS];
    int64_t count[KINDS], room[KINDS];
    Event *events;
    int64_t event_count, event_room, left_out;
};

/* user values of the Profile: of each kind a table of names by number and of numbers by key, which
 * is a name or a module, and the memory of its totals; and that of the events */
enum { NAMES = 1, TOTALS = NAMES + KINDS, EVENTS = TOTALS + KINDS, PROFILE_VALUES = EVENTS };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void push_profile(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_PROFILE);
}

/* `array`, the memory of a slot of the Profile, with room for one more */
static void *with_room(lua_State *L, int slot, void *array, int64_t count, int64_t *room,
                       size_t size)
{
    if (count < *room)
        return array;
    int64_t more = size_max(64, 2 * *room);
    luaL_checkstack(L, 4, "too many calls");
    push_profile(L);
    void *larger = lua_newuserdatauv(L, (size_t)more * size, 0);
    if (array != NULL)
        memcpy(larger, array, (size_t)count * size);
    lua_setiuservalue(L, -2, slot);
    lua_pop(L, 1);
    *room = more;
    return larger;
}

/* key, name -> nothing; the number of the key among its kind, a new one if it has none */
static int number_of(lua_State *L, Profile *p, Timed kind)
{
    int name = lua_gettop(L);
    luaL_checkstack(L, 8, "too many calls");
    push_profile(L);
    lua_getiuservalue(L, -1, NAMES + (int)kind);
    lua_pushvalue(L, name - 1);
    lua_rawget(L, -2);
    int number = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (number == 0) {
        p->totals[kind] = with_room(L, TOTALS + (int)kind, p->totals[kind], p->count[kind] + 1,
                                    &p->room[kind], sizeof(Totals));
        number = (int)++p->count[kind];
        p->totals[kind][number] = (Totals){0};
        lua_pushvalue(L, name);
        lua_rawseti(L, -2, number);
        lua_pushvalue(L, name - 1);
        lua_pushinteger(L, number);
        lua_rawset(L, -3);
    }
    lua_settop(L, name - 2);
    return number;
}

/* ---- calls ---- */

static Call *innermost(Profile *p)
{
    return p->depth > 0 ? &p->calls[p->depth - 1] : NULL;
}

/* returns the depth that `leave` wants */
static int enter(Profile *p, const char *place, Timed kind, int number)
{
    while (p->depth > 0 && innermost(p)->place <= place) /* it is over, by an error */
        p->depth--;
    const Call *outer = innermost(p);
    Call call = {
        .place = place,
        .kind = kind,
        .number = number,
        .layer = kind == LAYER   ? number
                 : outer != NULL ? outer->layer
                                 : 0,
        .backward = outer != NULL && outer->backward,
    };
    if (p->depth < DEEPEST)
        p->depth++;
    call.begin = now();
    *innermost(p) = call;
    return p->depth;
}

static void add(Totals *t, const Call *call, double seconds)
{
    t->bytes += call->bytes;
    t->flops += call->flops;
    if (call->backward)
        t->backward += seconds;
    else
        t->seconds += seconds;
}

static void note_event(lua_State *L, Profile *p, const Call *call, double seconds)
{
    if (p->event_count == MAX_EVENTS) {
        p->left_out++;
        return;
    }
    p->events = with_room(L, EVENTS, p->events, p->event_count, &p->event_room, sizeof *p->events);
    p->events[p->event_count++] = (Event){
        .kind = call->kind,
        .number = call->number,
        .layer = call->layer,
        .seconds = (float)seconds,
        .begin = call->begin,
        .bytes = call->bytes,
        .flops = call->flops,
    };
}

static void leave(lua_State *L, Profile *p, int depth)
{
    double end = now();
    p->depth = depth - 1;
    Call *call = &p->calls[depth - 1], *outer = innermost(p);
    double seconds = end - call->begin, own = seconds - call->inside;
    Totals *totals = &p->totals[call->kind][call->number];
    totals->calls++;
    add(totals, call, own);
    if (call->layer > 0 && call->kind == OPERATION)
        add(&p->totals[LAYER][call->layer], call, own);
    if (outer != NULL)
        outer->inside += seconds;
    note_event(L, p, call, seconds);
}

/* ---- the collector ---- */

void bind_profile_collect(lua_State *L, Profile *p, int kilobytes)
{
    if (p == NULL) {
        lua_gc(L, LUA_GCSTEP, kilobytes);
        return;
    }
    int before = lua_gc(L, LUA_GCCOUNT);
    int depth = enter(p, __builtin_frame_address(0), COLLECTOR, 1);
    lua_gc(L, LUA_GCSTEP, kilobytes);
    if (lua_gc(L, LUA_GCCOUNT) < before)
        leave(L, p, depth);
    else
        p->depth = depth - 1;
}

/* What is due within the next few kilobytes is done, so that little is left for where it would be
 * taken for Lua's time. */
static void collect_early(lua_State *L, Profile *p)
{
    enum { KILOBYTES = 64 };
    if (!lua_gc(L, LUA_GCISRUNNING))
        return;
    bind_profile_collect(L, p, KILOBYTES);
    lua_gc(L, LUA_GCSTEP, -KILOBYTES);
}

/* ---- operations ---- */

/* how bytes and FLOPs follow from the tensors that go in and come out */
typedef enum { PLAIN, ELEMENTWISE, PRODUCT, WEIGHT_PRODUCT, PICK, STEP, WALK } Rule;

static const struct {
    const char *name;
    Rule rule;
    unsigned reads; /* bit i: argument i; 0: all */
} rules[] = {
    {"matmul", PRODUCT, 0},
    {"linear", PRODUCT, 0},
    {"_linear_input_gradient", PRODUCT, 1u << 1 | 1u << 4},
    {"_linear_weight_gradient", WEIGHT_PRODUCT, 1u << 1 | 1u << 3},
    {"index", PICK, 0},
    {"index_select", PICK, 0},
    {"gather", PICK, 0},
    {"adam_step", STEP, 0},
    {"sgd_step", STEP, 0},
    {"backward", WALK, 0},
};

typedef struct {
    Rule rule;
    unsigned reads;
    bool in_place;
    int number;
} Wrapped;

/* the bytes of the value at `index`, and of those in a table there, of so many levels */
static int64_t bytes_at(lua_State *L, int index, int levels)
{
    const Tensor *t = bind_to_tensor(L, index);
    int64_t bytes = t != NULL ? t->numel * dtype_size((DType)t->dtype) : 0;
    if (levels == 0 || !lua_istable(L, index))
        return bytes;
    luaL_checkstack(L, 4, "too many tables");
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        bytes += bytes_at(L, -1, levels - 1);
    return bytes;
}

static int64_t bytes_read(lua_State *L, const Wrapped *o)
{
    int64_t bytes = 0;
    int count = lua_gettop(L);
    if (o->rule == WALK)
        return 0;
    if (o->rule == STEP) /* parameters, gradients, states: all are read, and two written */
        return 2 * bytes_at(L, 1, 1) + bytes_at(L, 2, 1) + 2 * bytes_at(L, 3, 2);
    for (int i = o->rule == PICK ? 2 : 1; i <= count; i++)
        if (o->reads == 0 || (i < 32 && (o->reads >> i & 1) != 0))
            bytes += bytes_at(L, i, 1);
    return bytes;
}

/* the terms whose sum is an element of a product */
static int64_t terms_of(lua_State *L, Rule rule)
{
    const Tensor *t = bind_to_tensor(L, 1);
    int64_t last = t != NULL && t->ndim > 0 ? t->dims[t->ndim - 1] : 0;
    if (rule == PRODUCT)
        return last;
    return rule == WEIGHT_PRODUCT && last > 0 ? t->numel / last : 0;
}

/* adds what comes out; a view, or the argument as it was, is nothing that was computed */
static void count_results(lua_State *L, const Wrapped *o, const Tensor *argument, int64_t terms,
                          Call *call)
{
    const Tensor *y = bind_to_tensor(L, 1);
    if (o->rule == WALK || y == NULL)
        return;
    bool is_shown = y->is_view || (argument != NULL && y->storage == argument->storage);
    if (!o->in_place && is_shown) {
        call->bytes = 0;
        return;
    }
    for (int i = 1, count = lua_gettop(L); i <= count; i++)
        call->bytes += bytes_at(L, i, 1) * (o->rule == PICK ? 2 : 1);
    call->flops = o->rule == ELEMENTWISE ? y->numel : 2 * terms * y->numel;
}

/* the node that the call has recorded belongs to its layer */
static void mark_node(lua_State *L, const Call *call)
{
    if (call->layer == 0 || call->backward || bind_to_tensor(L, 1) == NULL)
        return;
    if (lua_getiuservalue(L, 1, TENSOR_GRAD_FN) == LUA_TUSERDATA) {
        Node *node = lua_touserdata(L, -1);
        if (node->layer == 0)
            node->layer = (uint16_t)size_min(call->layer, UINT16_MAX);
    }
    lua_pop(L, 1);
}

/* upvalue 2 is the function, 3 its Wrapped */
static int call_operation(lua_State *L)
{
    Profile *p = bind_runtime(L)->profile;
    const Wrapped *o = lua_touserdata(L, lua_upvalueindex(3));
    luaL_checkstack(L, 8, "too many arguments");
    int64_t bytes = bytes_read(L, o), terms = terms_of(L, o->rule);
    const Tensor *first = bind_to_tensor(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    int depth = enter(p, __builtin_frame_address(0), OPERATION, o->number);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    Call *call = &p->calls[depth - 1];
    call->bytes = bytes;
    count_results(L, o, first, terms, call);
    mark_node(L, call);
    leave(L, p, depth);
    collect_early(L, p);
    return lua_gettop(L);
}

/* function -> what calls it and notes that under a name; `reads` as in rules */
static void wrap(lua_State *L, const char *name, Rule rule, unsigned reads)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (strcmp(rules[i].name, name) == 0) {
            rule = rules[i].rule;
            reads = rules[i].reads;
        }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    Wrapped *o = lua_newuserdatauv(L, sizeof *o, 0);
    lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    *o = (Wrapped){
        .rule = rule,
        .reads = reads,
        .in_place = *name != '\0' && name[strlen(name) - 1] == '_',
        .number = number_of(L, bind_runtime(L)->profile, OPERATION),
    };
    lua_pushcclosure(L, call_operation, 3);
}

static void wrap_field(lua_State *L, const char *field, const char *name, Rule rule, unsigned reads)
{
    lua_getfield(L, -1, field);
    wrap(L, name, rule, reads);
    lua_setfield(L, -2, field);
}

/* the functions of a field of the table on top */
static void wrap_fields(lua_State *L, const char *field, Rule rule)
{
    lua_getfield(L, -1, field);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
        if (lua_iscfunction(L, -1)) {
            const char *name = lua_tostring(L, -2);
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            wrap(L, name, rule, 0);
            lua_rawset(L, -5); /* of a field that is there */
        }
    lua_pop(L, 1);
}

/* graph.differentiable, upvalue 2, given and returning what is wrapped */
static int differentiable(lua_State *L)
{
    lua_settop(L, 3);
    lua_getfield(L, 1, "name");
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_getupvalue(L, 2, 2);
    lua_pushvalue(L, 3);
    lua_call(L, 3, 1);
    wrap(L, lua_tostring(L, -2), PLAIN, 0);
    return 1;
}

/* graph.walker, upvalue 2, returning what is wrapped */
static int walker(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    wrap(L, "backward", WALK, 0);
    return 1;
}

static void replace(lua_State *L, const char *field, lua_CFunction function)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_getfield(L, -2, field);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, field);
}

/* ---- the walk backward ---- */

int bind_profile_enter_node(lua_State *L, Profile *p, int layer)
{
    lua_pushvalue(L, -1);
    int number = number_of(L, p, OPERATION);
    int depth = enter(p, __builtin_frame_address(0), OPERATION, number);
    innermost(p)->layer = layer;
    innermost(p)->backward = true;
    return depth;
}

void bind_profile_leave_node(lua_State *L, Profile *p, int depth)
{
    leave(L, p, depth);
}

void bind_profile_add_derivative(Profile *p, int64_t elements, int64_t bytes)
{
    innermost(p)->flops += elements;
    innermost(p)->bytes += bytes;
}

/* ---- layers ---- */

static int finish_layer(lua_State *L, int status, lua_KContext depth)
{
    if (status != LUA_YIELD)
        leave(L, bind_runtime(L)->profile, (int)depth);
    return lua_gettop(L);
}

/* upvalue 2 calls the module at 1, 3 names it */
static int call_layer(lua_State *L)
{
    Profile *p = bind_runtime(L)->profile;
    luaL_checkstack(L, 8, "too many arguments");
    lua_pushvalue(L, 1);
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    int number = number_of(L, p, LAYER);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    int depth = enter(p, __builtin_frame_address(0), LAYER, number);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, depth, finish_layer);
    return finish_layer(L, LUA_OK, depth);
}

/* layered(call, name_of) -> call(module, ...), whose time is the module's */
static int profile_layered(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, call_layer, 3);
    return 1;
}

/* ---- what Lua asks ---- */

static void push_name(lua_State *L, Timed kind, int number)
{
    push_profile(L);
    lua_getiuservalue(L, -1, NAMES + (int)kind);
    lua_rawgeti(L, -1, number);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

static void set_integer(lua_State *L, const char *field, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, field);
}

static void set_seconds(lua_State *L, const char *field, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

/* pushes the list of what was called of a kind */
static void push_totals(lua_State *L, const Profile *p, Timed kind)
{
    lua_newtable(L);
    for (int number = 1, row = 0; number <= p->count[kind]; number++) {
        const Totals *t = &p->totals[kind][number];
        if (t->calls == 0)
            continue;
        lua_createtable(L, 0, 6);
        push_name(L, kind, number);
        lua_setfield(L, -2, "name");
        set_integer(L, "calls", t->calls);
        set_integer(L, "bytes", t->bytes);
        set_integer(L, "flops", t->flops);
        set_seconds(L, "seconds", t->seconds);
        set_seconds(L, "backward", t->backward);
        lua_rawseti(L, -2, ++row);
    }
}

/* read() -> { seconds =, events =, left_out =, operation = { totals ... }, layer =, collector = } */
static int profile_read(lua_State *L)
{
    const Profile *p = bind_runtime(L)->profile;
    lua_newtable(L);
    set_seconds(L, "seconds", now() - p->begin);
    set_integer(L, "events", p->event_count);
    set_integer(L, "left_out", p->left_out);
    for (int kind = 0; kind < KINDS; kind++) {
        push_totals(L, p, (Timed)kind);
        lua_setfield(L, -2, kinds[kind]);
    }
    return 1;
}

/* event(i) -> kind, name, begin, seconds, bytes, flops, layer or nil */
static int profile_event(lua_State *L)
{
    const Profile *p = bind_runtime(L)->profile;
    int64_t i = luaL_checkinteger(L, 1);
    luaL_argcheck(L, i >= 1 && i <= p->event_count, 1, "no such event");
    const Event *e = &p->events[i - 1];
    lua_pushstring(L, kinds[e->kind]);
    push_name(L, e->kind, e->number);
    lua_pushnumber(L, e->begin - p->begin);
    lua_pushnumber(L, (double)e->seconds);
    lua_pushinteger(L, e->bytes);
    lua_pushinteger(L, e->flops);
    if (e->layer == 0)
        return 6;
    push_name(L, LAYER, e->layer);
    return 7;
}

/* ---- opening ---- */

static void push_new_profile(lua_State *L)
{
    Profile *p = lua_newuserdatauv(L, sizeof *p, PROFILE_VALUES);
    memset(p, 0, sizeof *p);
    p->begin = now();
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    for (int kind = 0; kind < KINDS; kind++) {
        lua_newtable(L);
        lua_pushvalue(L, -2);
        lua_setmetatable(L, -2);
        lua_setiuservalue(L, -3, NAMES + kind);
    }
    lua_pop(L, 1);
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_PROFILE);
    bind_runtime(L)->profile = p;
    lua_pushliteral(L, "collector");
    lua_pushvalue(L, -1);
    number_of(L, p, COLLECTOR);
}

/* Comes last, when all that is wrapped is in the core table. */
void bind_open_profile(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"layered", profile_layered},
        {"read", profile_read},
        {"event", profile_event},
        {NULL, NULL},
    };
    static const char *const names[] = {
        "adam_step",    "sgd_step",          "rbm_sample",       "rbm_sample_groups",
        "rbm_softplus", "rbm_log_partition", "csv_read",         "idx_read",
        "npy_read",     "npz_read",          "records_read",     "safetensors_read",
        "npy_save",     "npz_save",          "safetensors_save", "csv_save",
        "image_load",   "image_save",        "download",         "check_classes"};
    bool wanted = lua_getfield(L, LUA_REGISTRYINDEX, BIND_PROFILE_KEY) == LUA_TBOOLEAN;
    lua_pop(L, 1);
    if (!wanted)
        return;
    if (bind_runtime(L)->profile == NULL)
        push_new_profile(L);
    wrap_fields(L, "unrecorded", PLAIN);
    wrap_fields(L, "elementwise", ELEMENTWISE);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        wrap_field(L, names[i], names[i], PLAIN, 0);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    for (int op = 0; op < operation_count; op++) {
        const Operation *o = &operations[op];
        if (o->lua_operator != NULL) /* Lua gives the one argument of a unary operator twice */
            wrap_field(L, o->lua_operator, o->name, ELEMENTWISE, o->arity == 1 ? 1u << 1 : 0);
    }
    lua_pop(L, 1);
    lua_getfield(L, -1, "graph");
    replace(L, "differentiable", differentiable);
    replace(L, "walker", walker);
    lua_pop(L, 1);
    luaL_getsubtable(L, -1, "profile");
    bind_register(L, functions);
    lua_pop(L, 1);
}
