/*
 * bind_mpi.c - messages between the ranks that mpirun started
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/core.h"
#include "bind/open.h"
#include "kernels/mpi.h"

static const char message_type[] = "wrun.mpi.message";
static const char rank_key, slow_key; /* their addresses are keys of the registry */

int bind_rank(lua_State *L)
{
    bool is_one_of_many = lua_rawgetp(L, LUA_REGISTRYINDEX, &rank_key) == LUA_TNUMBER;
    int rank = is_one_of_many ? (int)lua_tointeger(L, -1) : -1;
    lua_pop(L, 1);
    return rank;
}

/* mpi_start(f) -> rank from 0, size; or nil and a message. f(rank) is called where that rank lets this
 * one wait for seconds. */
static int core_mpi_start(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &slow_key);
    Runtime *runtime = bind_runtime(L);
    Reason reason = runtime->mpi ? NULL : mpi_start(&runtime->mpi);
    if (reason)
        return bind_refuse(L, "%s", reason);
    lua_pushinteger(L, runtime->mpi->rank);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &rank_key);
    lua_pushinteger(L, runtime->mpi->size);
    return 2;
}

/* the other rank of a message, argument `index` */
static int to_peer(lua_State *L, const char *f, int index)
{
    const Mpi *mpi = bind_runtime(L)->mpi;
    int64_t peer = bind_integer(L, f, index, "a rank");
    if (!mpi || peer < 0 || peer >= mpi->size || peer == mpi->rank)
        bind_fail_argument(L, f, index, "another rank");
    return (int)peer;
}

/* Tells who asked to hear of it that a rank lets this one wait. */
static void tell_slow(lua_State *L, int peer)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &slow_key);
    lua_pushinteger(L, peer);
    lua_call(L, 1, 0);
}

static void check_outcome(lua_State *L, MpiOutcome outcome, int peer)
{
    if (outcome == MPI_INTERRUPTED)
        bind_interrupted(L);
    else if (outcome == MPI_LEFT)
        bind_fail(L, "mpi: rank %d has come to its end, and rank %d waits for it", peer,
                  bind_runtime(L)->mpi->rank);
    else if (outcome == MPI_OTHER_SIZE)
        bind_fail(L, "mpi: ranks %d and %d disagree on what is sent", peer,
                  bind_runtime(L)->mpi->rank);
}

typedef struct {
    char *start;
    size_t size;
} Bytes;

/* the bytes of a contiguous tensor or a string, argument `index` */
static Bytes to_bytes(lua_State *L, const char *f, int index)
{
    Bytes bytes;
    if (lua_type(L, index) == LUA_TSTRING) {
        bytes.start = (char *)bind_bytes(L, f, index, &bytes.size);
    } else {
        const Tensor *t = bind_contiguous(L, f, index);
        bytes.start = tensor_data(t);
        bytes.size = (size_t)(t->numel * dtype_size((DType)t->dtype));
    }
    return bytes;
}

/* the message of `bytes` that a call is about: argument 2 is the other rank, 3 the tag */
static MpiMessage to_message(lua_State *L, const char *f, Bytes bytes, bool is_sent)
{
    return (MpiMessage){
        .start = bytes.start,
        .size = bytes.size,
        .peer = to_peer(L, f, 2),
        .tag = (int)bind_integer(L, f, 3, "a tag"),
        .is_sent = is_sent,
    };
}

/* -> whether it was filled, or nothing was sent */
static bool exchange(lua_State *L, MpiMessage message)
{
    const Mpi *mpi = bind_runtime(L)->mpi;
    MpiMessage *only = &message;
    void *request;
    int which;
    mpi_begin(mpi, only);
    MpiOutcome outcome;
    while ((outcome = mpi_wait(mpi, &only, &request, 1, &which)) == MPI_SLOW)
        tell_slow(L, message.peer);
    check_outcome(L, outcome, message.peer);
    return outcome != MPI_NOTHING;
}

/* mpi_send(contiguous tensor or string, rank, tag) */
static int core_mpi_send(lua_State *L)
{
    static const char f[] = "mpi_send";
    exchange(L, to_message(L, f, to_bytes(L, f, 1), true));
    return 0;
}

/* mpi_receive(contiguous tensor, rank, tag) -> whether it was filled, or nothing was sent;
 * mpi_receive(nil, rank, tag) -> a string */
static int core_mpi_receive(lua_State *L)
{
    static const char f[] = "mpi_receive";
    if (!lua_isnil(L, 1)) {
        bind_contiguous(L, f, 1);
        lua_pushboolean(L, exchange(L, to_message(L, f, to_bytes(L, f, 1), false)));
        return 1;
    }
    luaL_Buffer text;
    MpiMessage message = to_message(L, f, (Bytes){NULL, 0}, false);
    const Mpi *mpi = bind_runtime(L)->mpi;
    MpiOutcome outcome;
    while ((outcome = mpi_await(mpi, message.peer, message.tag, &message.size)) == MPI_SLOW)
        tell_slow(L, message.peer);
    check_outcome(L, outcome, message.peer);
    message.start = luaL_buffinitsize(L, &text, message.size);
    size_t size = message.size;
    exchange(L, message);
    luaL_pushresultsize(&text, size);
    return 1;
}

/* Messages that are under way: the registry has them, and they their bytes, until they are over. */

static void begin(lua_State *L, MpiMessage message)
{
    MpiMessage *kept = lua_newuserdatauv(L, sizeof *kept, 1);
    *kept = message;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, message_type);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, kept);
    mpi_begin(bind_runtime(L)->mpi, kept);
}

/* mpi_begin_send(contiguous tensor or string, rank, tag) -> message */
static int core_mpi_begin_send(lua_State *L)
{
    static const char f[] = "mpi_begin_send";
    begin(L, to_message(L, f, to_bytes(L, f, 1), true));
    return 1;
}

/* mpi_begin_receive(contiguous tensor, rank, tag) -> message */
static int core_mpi_begin_receive(lua_State *L)
{
    static const char f[] = "mpi_begin_receive";
    bind_contiguous(L, f, 1);
    begin(L, to_message(L, f, to_bytes(L, f, 1), false));
    return 1;
}

/* by mpi_look or mpi_wait, of a list of messages: the place of one that is over and, as mpi_receive,
 * whether it was filled; nil where none is */
static int push_one_over(lua_State *L,
                         MpiOutcome (*look)(const Mpi *, MpiMessage *const *, void **, int, int *))
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int count = (int)lua_rawlen(L, 1), which = 0;
    MpiMessage **messages = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*messages), 0);
    void **requests = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*requests), 0);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        messages[i] = luaL_checkudata(L, -1, message_type);
        lua_pop(L, 1);
    }
    const Mpi *mpi = bind_runtime(L)->mpi;
    MpiOutcome outcome;
    while ((outcome = look(mpi, messages, requests, count, &which)) == MPI_SLOW)
        tell_slow(L, messages[which]->peer);
    if (outcome == MPI_UNDER_WAY)
        return 0;
    check_outcome(L, outcome, messages[which]->peer);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, messages[which]);
    lua_pushinteger(L, which + 1);
    lua_pushboolean(L, outcome != MPI_NOTHING);
    return 2;
}

/* mpi_look(messages, not none) -> place, whether it was filled; nil while all are under way */
static int core_mpi_look(lua_State *L)
{
    return push_one_over(L, mpi_look);
}

/* mpi_wait(messages, not none) -> the same, of the first that is over */
static int core_mpi_wait(lua_State *L)
{
    return push_one_over(L, mpi_wait);
}

static const luaL_Reg mpi_functions[] = {
    {"mpi_start", core_mpi_start},
    {"mpi_send", core_mpi_send},
    {"mpi_receive", core_mpi_receive},
    {"mpi_begin_send", core_mpi_begin_send},
    {"mpi_begin_receive", core_mpi_begin_receive},
    {"mpi_look", core_mpi_look},
    {"mpi_wait", core_mpi_wait},
    {NULL, NULL},
};

void bind_open_mpi(lua_State *L)
{
    luaL_newmetatable(L, message_type);
    lua_pop(L, 1);
    bind_register(L, mpi_functions);
}
