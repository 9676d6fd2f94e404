/*
 * bind_elementwise.c - the rows of ops.def as functions, methods and operators
 *
 * Each row becomes name(...) and, unless its result is of another kind, name_(...), which changes
 * its first argument. Argument and result types follow PyTorch: tensors with dimensions decide
 * first, then tensors without, then numbers; a later group counts only when its category (bool,
 * integer, float) is higher.
 */
#include <math.h>
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/bind_switch.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/operations.h"

/* ---- the common type ---- */

typedef struct {
    bool seen[3];
    DType type[3]; /* of tensors with dimensions, tensors without, and numbers */
} Common;

static void common_add(Common *common, int group, DType type)
{
    common->type[group] = common->seen[group] ? dtype_promote(common->type[group], type) : type;
    common->seen[group] = true;
}

static DType common_type(const Common *common)
{
    bool any = false;
    DType result = BOOL;
    for (int group = 0; group < 3; group++) {
        if (!common->seen[group])
            continue;
        DType type = common->type[group];
        if (!any || dtype_info[type].category > dtype_info[result].category)
            result = any ? dtype_promote(result, type) : type;
        any = true;
    }
    return result;
}

/* ---- one call ---- */

enum { UNKNOWN = -1 };

typedef struct {
    const char *name; /* as errors call it */
    const Operation *operation;
    Runtime *runtime;
    int op;
    bool in_place;
    bool keeps_type; /* of floats, and takes any */
    int saves
        [MAX_ARITY]; /* what the gradient of an argument reads, bit 0 the result, bit i argument
                             i; UNKNOWN until it is asked for */
} Entry;

typedef struct {
    Operand in[MAX_ARITY];
    Tensor *tensor[MAX_ARITY]; /* NULL for a number */
    DType common;
    View out;
} Call;

/* Refuses floats where bits are meant, and bools where they are moved. */
static void check_bits(lua_State *L, const Entry *entry, const Call *call)
{
    if (entry->operation->kind == SHIFT && call->common == BOOL)
        bind_fail(L, "%s: bool tensors have no bits to move; use :to(\"int64\")", entry->name);
    for (int i = 0; i < entry->operation->arity; i++) {
        const Tensor *t = call->tensor[i];
        if (t != NULL ? tensor_is_float(t) : call->in[i].scalar.category == CATEGORY_FLOAT)
            bind_fail_argument(L, entry->name, i + 1,
                               t != NULL ? "a tensor of integers or bool" : "a whole number");
    }
}

static _Noreturn void refuse_operand(lua_State *L, const char *name, int index)
{
    const char *expected = index == 1 ? "a tensor" : "a tensor or a number";
    bool adds = strcmp(name, "add") == 0;
    if (adds && lua_type(L, index) == LUA_TSTRING && !lua_isnumber(L, index))
        bind_fail(L, "%s: argument %d: expected %s, got %s; text is joined by ..", name, index,
                  expected, bind_describe(L, index));
    bind_fail_argument(L, name, index, expected);
}

static void read_arguments(lua_State *L, const Entry *entry, Call *call)
{
    Common common = {.seen = {false}};
    int tensors = 0;
    for (int i = 0; i < entry->operation->arity; i++) {
        Operand *operand = &call->in[i];
        Tensor *t = call->tensor[i] = bind_to_tensor(L, i + 1);
        bool counts = entry->operation->kind != SELECT || i > 0;
        operand->is_scalar = t == NULL;
        if (t != NULL) {
            if (!counts && t->dtype != BOOL && t->dtype != UINT8)
                bind_fail_argument(L, entry->name, i + 1, "a bool tensor");
            tensor_view(t, &operand->view);
            tensors++;
            if (counts)
                common_add(&common, t->ndim == 0, (DType)t->dtype);
        } else if (bind_to_scalar(L, i + 1, &operand->scalar)) {
            if (counts)
                common_add(&common, 2, dtype_of_scalar(operand->scalar));
        } else {
            refuse_operand(L, entry->name, i + 1);
        }
    }
    if (tensors == 0)
        bind_fail_argument(L, entry->name, 1, "a tensor");
    if (entry->in_place && call->tensor[0] == NULL)
        bind_fail_argument(L, entry->name, 1, "a tensor");
    call->common = common_type(&common);
    if (entry->operation->kind == SIGNED && call->common == BOOL)
        bind_fail(L,
                  "%s: bool tensors have no sign; use logical_not, logical_xor or :to(\"int64\")",
                  entry->name);
    if (entry->operation->kind == BITWISE || entry->operation->kind == SHIFT)
        check_bits(L, entry, call);
}

static void read_shape(lua_State *L, const Entry *entry, Call *call)
{
    View *out = &call->out;
    out->ndim = 0;
    for (int i = 0, first = -1; i < entry->operation->arity; i++) {
        Tensor *t = call->tensor[i];
        if (t == NULL)
            continue;
        if (first < 0) {
            first = i;
            out->ndim = t->ndim;
            shape_copy(t->ndim, out->shape, tensor_shape(t));
        } else if (!shape_equal(out->ndim, out->shape, t->ndim, tensor_shape(t)) &&
                   shape_broadcast(out->ndim, out->shape, t->ndim, tensor_shape(t), &out->ndim,
                                   out->shape)) {
            const char *wanted = bind_shape_text(L, out->ndim, out->shape);
            bind_fail(L, "%s: argument %d: expected a shape that broadcasts with %s, got %s",
                      entry->name, i + 1, wanted, bind_shape_text(L, t->ndim, tensor_shape(t)));
        }
    }
}

/* Is the condition true of any element of argument 2, an integer? */
static bool any_integer(lua_State *L, const Entry *entry, const Call *call, bool (*is)(int64_t))
{
    if (call->tensor[1] == NULL)
        return is(call->in[1].scalar.i);
    const Tensor *t = call->tensor[1];
    bool is_read = t->dtype == INT64 && t->is_contiguous;
    if (!is_read)
        t = bind_new_copy(L, entry->name, &call->in[1].view, INT64);
    const int64_t *value = (const int64_t *)(const void *)tensor_data(t);
    bool found = false;
    for (int64_t i = 0; i < t->numel && !found; i++)
        found = is(value[i]);
    lua_pop(L, is_read ? 0 : 1);
    return found;
}

static bool is_zero(int64_t i)
{
    return i == 0;
}

static bool is_negative(int64_t i)
{
    return i < 0;
}

/* integers have no quotient by zero and no negative powers */
static void check_integers(lua_State *L, const Entry *entry, const Call *call)
{
    Kind kind = entry->operation->kind;
    if (dtype_is_float(call->common))
        return;
    if (kind == DIVISION && any_integer(L, entry, call, is_zero))
        bind_fail(L, "%s: argument 2: expected no zero, since integers are divided", entry->name);
    if (kind == POWER && any_integer(L, entry, call, is_negative))
        bind_fail(L, "%s: argument 2: expected no negative power, since the base is an integer",
                  entry->name);
}

/* Replaces an argument whose memory the result overwrites in another order by a copy of it. */
static void separate(lua_State *L, const Entry *entry, Call *call, int i)
{
    Tensor *out = call->tensor[0], *t = call->tensor[i];
    if (t == NULL || i == 0 || t->storage != out->storage)
        return;
    bool same = t->offset == out->offset &&
                shape_equal(t->ndim, tensor_shape(t), out->ndim, tensor_shape(out)) &&
                shape_equal(t->ndim, tensor_stride(t), out->ndim, tensor_stride(out));
    if (same)
        return;
    /* the copy stays on the stack until the call is done */
    tensor_view(bind_new_copy(L, entry->name, &call->in[i].view, (DType)t->dtype),
                &call->in[i].view);
}

static void check_in_place(lua_State *L, const Entry *entry, Call *call, DType result)
{
    Tensor *t = call->tensor[0];
    if (!shape_equal(call->out.ndim, call->out.shape, t->ndim, tensor_shape(t))) {
        const char *wanted = bind_shape_text(L, t->ndim, tensor_shape(t));
        bind_fail(L, "%s: argument 1: its shape %s cannot hold the result's %s", entry->name,
                  wanted, bind_shape_text(L, call->out.ndim, call->out.shape));
    }
    if (dtype_info[result].category > dtype_info[t->dtype].category)
        bind_fail(L, "%s: argument 1: %s cannot hold results of type %s", entry->name,
                  bind_describe(L, 1), dtype_info[result].name);
    bind_check_writable(L, entry->name, 1, t);
}

/* what the gradient of an argument reads */
static int values_read(const Operation *operation, const char *derivative)
{
    static const char names[] = "abc";
    int values = operation_uses(derivative, 'y') ? 1 : 0;
    for (int k = 0; k < operation->arity; k++)
        if (operation_uses(derivative, operation->arity == 1 ? 'x' : names[k]))
            values |= 2 << k;
    return values;
}

/* which values the wanted gradients read */
static uint32_t saved_values(Entry *entry, Tensor *const *tensor)
{
    uint32_t saves = 0;
    for (int i = 0; i < entry->operation->arity; i++) {
        if (tensor[i] == NULL || !tensor[i]->requires_grad)
            continue;
        if (entry->saves[i] == UNKNOWN)
            entry->saves[i] = values_read(entry->operation, entry->operation->derivative[i]);
        saves |= (uint32_t)entry->saves[i];
    }
    return saves;
}

/* Raises when the change in place would overwrite a later argument that a gradient reads. */
static void check_saved(lua_State *L, const Entry *entry, const Call *call, uint32_t saves)
{
    for (int i = 1; i < entry->operation->arity; i++) {
        const Tensor *t = call->tensor[i];
        if (t != NULL && (saves >> (i + 1) & 1) != 0 && t->storage == call->tensor[0]->storage)
            bind_fail(L,
                      "%s: argument %d: it shares memory with argument 1, whose change would "
                      "overwrite what the gradient needs; clone() it first",
                      entry->name, i + 1);
    }
}

static void record(lua_State *L, const Entry *entry, Tensor *const *tensor, uint32_t saves,
                   Tensor *y, int result)
{
    if (!entry->runtime->has_rows)
        bind_fail(L, "%s: gradients need the module wrun.operations", entry->name);
    bind_record_elementwise(L, entry->op, entry->operation->arity, tensor, saves, y, result);
}

static bool any_requires_grad(const Entry *entry, const Call *call)
{
    bool any = false;
    for (int i = 0; i < entry->operation->arity; i++)
        any |= call->tensor[i] != NULL && call->tensor[i]->requires_grad;
    return any;
}

/*
 * The usual call, without a look at sizes: float tensors of one type that lie alike, and numbers.
 * Pushes the result, or returns false where the call is another.
 */
static bool run_alike(lua_State *L, Entry *entry)
{
    Row in[MAX_ARITY];
    Tensor *tensor[MAX_ARITY], *first = NULL;
    bool requires_grad = false;
    for (int i = 0; i < entry->operation->arity; i++) {
        Tensor *t = tensor[i] = bind_to_tensor(L, i + 1);
        in[i].data = NULL;
        if (t == NULL) {
            if (!bind_to_scalar(L, i + 1, &in[i].scalar))
                return false;
            continue;
        }
        first = first != NULL ? first : t;
        if (!t->is_contiguous || !tensor_is_like(t, first))
            return false;
        in[i].data = tensor_data(t);
        requires_grad |= t->requires_grad;
    }
    if (first == NULL || !tensor_is_float(first))
        return false;
    Tensor *y = bind_new_like(L, entry->name, first);
    entry->runtime->computing = L;
    elementwise_row(entry->runtime->pool, entry->op, (DType)first->dtype, first->numel,
                    tensor_data(y), in);
    if (requires_grad && bind_switch_in(entry->runtime, L, SWITCH_GRAD))
        record(L, entry, tensor, saved_values(entry, tensor), y, lua_gettop(L));
    return true;
}

static int run(lua_State *L, Entry *entry)
{
    if (entry->keeps_type && run_alike(L, entry))
        return 1;
    Call call;
    lua_settop(L, entry->operation->arity);
    read_arguments(L, entry, &call);
    read_shape(L, entry, &call);
    check_integers(L, entry, &call);
    DType result = operation_result_type(entry->operation->kind, call.common);
    if (entry->in_place) {
        check_in_place(L, entry, &call, result);
        result = (DType)call.tensor[0]->dtype;
    }
    bool needs_grad =
        dtype_is_float(result) && any_requires_grad(entry, &call) && bind_switch(L, SWITCH_GRAD);
    uint32_t saves = needs_grad ? saved_values(entry, call.tensor) : 0;
    int out_index = 1;
    if (entry->in_place) {
        if (needs_grad) {
            bind_check_unshared(L, entry->name, call.tensor[0]);
            check_saved(L, entry, &call, saves);
        }
        for (int i = 1; i < entry->operation->arity; i++)
            separate(L, entry, &call, i);
        if (saves & 2) {
            /* its old value will be wanted: record a copy in its place */
            Tensor *old = bind_new_copy(L, entry->name, &call.in[0].view, call.in[0].view.dtype);
            lua_getiuservalue(L, 1, TENSOR_GRAD_FN);
            lua_setiuservalue(L, -2, TENSOR_GRAD_FN);
            old->requires_grad = call.tensor[0]->requires_grad;
            lua_pushvalue(L, 1);
            lua_insert(L, entry->operation->arity + 1);
            lua_replace(L, 1);
            out_index = entry->operation->arity + 1;
        }
        tensor_view(call.tensor[0], &call.out);
        bind_touch(call.tensor[0]);
    } else {
        tensor_view(bind_new_tensor(L, entry->name, result, call.out.ndim, call.out.shape),
                    &call.out);
        out_index = lua_gettop(L);
    }
    elementwise_run(bind_pool(L), entry->op,
                    operation_compute_type(entry->operation->kind, call.common), &call.out,
                    call.in);
    if (needs_grad) {
        call.tensor[0] = bind_to_tensor(L, 1); /* in place, what was there before */
        record(L, entry, call.tensor, saves, bind_to_tensor(L, out_index), out_index);
    }
    lua_pushvalue(L, out_index);
    return 1;
}

/* upvalue 2 of every function here */
static Entry *called_entry(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(2));
}

static int call_operation(lua_State *L)
{
    Entry *entry = called_entry(L);
    int arity = entry->operation->arity;
    if (!lua_isnoneornil(L, arity + 1))
        bind_fail(L, "%s: expected %d argument%s, got %d", entry->name, arity,
                  arity == 1 ? "" : "s", lua_gettop(L));
    return run(L, entry);
}

/* an operator: Lua adds an argument of its own to the unary ones */
static int call_operator(lua_State *L)
{
    Entry *entry = called_entry(L);
    return run(L, entry);
}

/* f(x, low, high) or f(x, {min=, max=}): a bound that is nil does not bind */
static int call_with_bounds(lua_State *L)
{
    Entry *entry = called_entry(L);
    lua_settop(L, 3);
    const Tensor *t = bind_tensor(L, entry->name, 1);
    if (lua_istable(L, 2) && lua_isnil(L, 3)) {
        static const char *const bounds[] = {"min", "max", NULL};
        bind_check_options(L, entry->name, 2, bounds);
        lua_getfield(L, 2, "max");
        lua_replace(L, 3);
        lua_getfield(L, 2, "min");
        lua_replace(L, 2);
    }
    if (lua_isnil(L, 2) && lua_isnil(L, 3))
        bind_fail(L, "%s: argument 2: expected a bound here or in argument 3, got nil",
                  entry->name);
    for (int i = 2; i <= 3; i++) {
        if (!lua_isnil(L, i))
            continue;
        if (tensor_is_float(t))
            lua_pushnumber(L, i == 2 ? -HUGE_VAL : HUGE_VAL);
        else
            lua_pushinteger(L, i == 2 ? INT64_MIN : INT64_MAX);
        lua_replace(L, i);
    }
    return run(L, entry);
}

static int call_with_defaults(lua_State *L)
{
    Entry *entry = called_entry(L);
    int arity = entry->operation->arity;
    if (lua_gettop(L) < arity)
        lua_settop(L, arity);
    for (int i = 2; i <= arity; i++) {
        if (!lua_isnil(L, i))
            continue;
        lua_pushnumber(L, entry->operation->defaults[i - 2]);
        lua_replace(L, i);
    }
    return call_operation(L);
}

/* pushes the function of a row, whose name for errors is on top and becomes part of it */
static void push_operation(lua_State *L, lua_CFunction call, int op, bool in_place)
{
    const Operation *operation = &operations[op];
    Kind kind = operation->kind;
    lua_pushvalue(L, lua_upvalueindex(1));
    Entry *entry = lua_newuserdatauv(L, sizeof *entry, 1);
    *entry = (Entry){
        .name = lua_tostring(L, -3),
        .operation = operation,
        .runtime = bind_runtime(L),
        .op = op,
        .in_place = in_place,
        .keeps_type =
            !in_place && kind != BOOLEAN && kind != SELECT && kind != BITWISE && kind != SHIFT,
    };
    for (int i = 0; i < operation->arity; i++)
        entry->saves[i] = UNKNOWN;
    lua_rotate(L, -3, -1);
    lua_setiuservalue(L, -2, 1);
    lua_pushcclosure(L, call, 2);
}

/* a list of numbers as a field of the table on top */
static void set_numbers(lua_State *L, const char *field, int n, const double *numbers)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushnumber(L, numbers[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, field);
}

/* elementwise_rows() -> the table:
 * a row is { name, arity, kind, derivatives, low, high, doc, defaults, has_bounds, ulp, ulp_size } */
static int core_elementwise_rows(lua_State *L)
{
    static const char *const kinds[] = {
        [NUMERIC] = "numeric",   [COUNTING] = "counting", [SIGNED] = "signed",
        [DIVISION] = "division", [POWER] = "power",       [FLOATING] = "floating",
        [RANGED] = "floating",   [BOOLEAN] = "boolean",   [SELECT] = "select",
        [BITWISE] = "bitwise",   [SHIFT] = "shift",
    };
    lua_createtable(L, operation_count, 0);
    for (int op = 0; op < operation_count; op++) {
        const Operation *o = &operations[op];
        lua_createtable(L, 0, 10);
        lua_pushstring(L, o->name);
        lua_setfield(L, -2, "name");
        lua_pushinteger(L, o->arity);
        lua_setfield(L, -2, "arity");
        lua_pushstring(L, kinds[o->kind]);
        lua_setfield(L, -2, "kind");
        lua_createtable(L, o->arity, 0);
        for (int i = 0; i < o->arity; i++) {
            lua_pushstring(L, o->derivative[i]);
            lua_rawseti(L, -2, i + 1);
        }
        lua_setfield(L, -2, "derivatives");
        lua_pushnumber(L, o->low);
        lua_setfield(L, -2, "low");
        lua_pushnumber(L, o->high);
        lua_setfield(L, -2, "high");
        lua_pushstring(L, o->doc);
        lua_setfield(L, -2, "doc");
        if (o->has_defaults)
            set_numbers(L, "defaults", o->arity - 1, o->defaults);
        lua_pushboolean(L, o->has_bounds);
        lua_setfield(L, -2, "has_bounds");
        if (o->has_bound) {
            lua_pushnumber(L, o->ulp);
            lua_setfield(L, -2, "ulp");
            lua_pushnumber(L, o->ulp_size);
            lua_setfield(L, -2, "ulp_size");
        }
        lua_rawseti(L, -2, op + 1);
    }
    return 1;
}

/* core.elementwise holds the functions, which record themselves, core.elementwise_rows() the table;
 * tensors get Lua's operators */
void bind_open_elementwise(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    luaL_getsubtable(L, -2, "elementwise");
    for (int op = 0; op < operation_count; op++) {
        const Operation *o = &operations[op];
        lua_CFunction call = o->has_bounds     ? call_with_bounds
                             : o->has_defaults ? call_with_defaults
                                               : call_operation;
        lua_pushstring(L, o->name);
        push_operation(L, call, op, false);
        lua_setfield(L, -2, o->name);
        if (o->kind != SELECT) {
            const char *name = lua_pushfstring(L, "%s_", o->name);
            lua_pushvalue(L, -1);
            push_operation(L, call, op, true);
            lua_setfield(L, -3, name);
            lua_pop(L, 1);
        }
        if (o->lua_operator) {
            lua_pushstring(L, o->name);
            push_operation(L, call_operator, op, false);
            lua_setfield(L, -3, o->lua_operator);
        }
    }
    lua_pop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, core_elementwise_rows, 1);
    lua_setfield(L, -2, "elementwise_rows");
}
