/*
 * bind_mpi.c - messages between the ranks that mpirun started
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/core.h"
#include "bind/open.h"
#include "kernels/mpi.h"

static const char rank_key; /* its address is one of the registry's keys */

int bind_rank(lua_State *L)
{
    bool is_one_of_many = lua_rawgetp(L, LUA_REGISTRYINDEX, &rank_key) == LUA_TNUMBER;
    int rank = is_one_of_many ? (int)lua_tointeger(L, -1) : -1;
    lua_pop(L, 1);
    return rank;
}

/* mpi_start() -> rank from 0, size; or nil and a message */
static int core_mpi_start(lua_State *L)
{
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

/* the bytes of a contiguous tensor or a string, argument `index` */
static MpiBytes to_bytes(lua_State *L, const char *f, int index)
{
    MpiBytes bytes;
    if (lua_type(L, index) == LUA_TSTRING) {
        bytes.start = (char *)bind_bytes(L, f, index, &bytes.size);
    } else {
        const Tensor *t = bind_contiguous(L, f, index);
        bytes.start = tensor_data(t);
        bytes.size = (size_t)(t->numel * dtype_size((DType)t->dtype));
    }
    return bytes;
}

/* mpi_send(contiguous tensor or string, rank, tag) */
static int core_mpi_send(lua_State *L)
{
    static const char f[] = "mpi_send";
    int peer = to_peer(L, f, 2), tag = (int)bind_integer(L, f, 3, "a tag");
    MpiBytes sent = to_bytes(L, f, 1);
    check_outcome(L, mpi_exchange(bind_runtime(L)->mpi, &sent, NULL, peer, tag), peer);
    return 0;
}

/* -> whether `received` was filled, or nothing was sent */
static int push_filled(lua_State *L, MpiOutcome outcome, int peer)
{
    lua_pushboolean(L, outcome != MPI_NOTHING);
    check_outcome(L, outcome, peer);
    return 1;
}

/* mpi_receive(contiguous tensor, rank, tag) -> whether it was filled, or nothing was sent;
 * mpi_receive(nil, rank, tag) -> a string */
static int core_mpi_receive(lua_State *L)
{
    static const char f[] = "mpi_receive";
    const Mpi *mpi = bind_runtime(L)->mpi;
    int peer = to_peer(L, f, 2), tag = (int)bind_integer(L, f, 3, "a tag");
    MpiBytes received;
    if (!lua_isnil(L, 1)) {
        bind_contiguous(L, f, 1);
        received = to_bytes(L, f, 1);
        return push_filled(L, mpi_exchange(mpi, NULL, &received, peer, tag), peer);
    }
    luaL_Buffer text;
    check_outcome(L, mpi_await(mpi, peer, tag, &received.size), peer);
    received.start = luaL_buffinitsize(L, &text, received.size);
    check_outcome(L, mpi_exchange(mpi, NULL, &received, peer, tag), peer);
    luaL_pushresultsize(&text, received.size);
    return 1;
}

/* mpi_exchange(contiguous tensor or string, contiguous tensor, rank, tag) -> as mpi_receive, with
 * a message to the same rank at the same time */
static int core_mpi_exchange(lua_State *L)
{
    static const char f[] = "mpi_exchange";
    int peer = to_peer(L, f, 3), tag = (int)bind_integer(L, f, 4, "a tag");
    bind_contiguous(L, f, 2);
    MpiBytes sent = to_bytes(L, f, 1), received = to_bytes(L, f, 2);
    return push_filled(L, mpi_exchange(bind_runtime(L)->mpi, &sent, &received, peer, tag), peer);
}

static const luaL_Reg mpi_functions[] = {
    {"mpi_start", core_mpi_start},
    {"mpi_send", core_mpi_send},
    {"mpi_receive", core_mpi_receive},
    {"mpi_exchange", core_mpi_exchange},
    {NULL, NULL},
};

void bind_open_mpi(lua_State *L)
{
    bind_register(L, mpi_functions);
}
