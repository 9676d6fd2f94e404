/*
 * bare.c - the products of training and nothing else, on OpenBLAS and its own threads
 *
 * What a training step cannot do without, for benchmarks to compare with. Of 784-256-256-10: three
 * products forward, three for the weights' gradients, two for the hidden layers'. Of a machine that
 * learns by contrastive divergence: from the data up, down, up again, and the
 * gradient of each phase. Of elementwise operations, of weights and of shuffled rows: loops that read
 * and write as much. Of sums over ranks: MPI's own. A Lua C module.
 */
#include <cblas.h>
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BATCH = 100, LAYERS = 3, LARGEST = 784 };

static const int width[LAYERS + 1] = {784, 256, 256, 10};

typedef struct {
    float value[LAYERS + 1][BATCH * LARGEST]; /* [batch, width] */
    float weight[LAYERS][LARGEST * 256];      /* [out, in] */
    float d_value[LAYERS + 1][BATCH * LARGEST];
    float d_weight[LAYERS][LARGEST * 256];
} Network;

/* y[batch,out] = x[batch,in] w[out,in]^T */
static void forward(Network *network, int layer)
{
    int in = width[layer], out = width[layer + 1];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, out, in, 1.0F,
                network->value[layer], in, network->weight[layer], in, 0.0F,
                network->value[layer + 1], out);
}

/* dw[out,in] = dy[batch,out]^T x[batch,in]; dx[batch,in] = dy[batch,out] w[out,in] */
static void backward(Network *network, int layer)
{
    int in = width[layer], out = width[layer + 1];
    const float *dy = network->d_value[layer + 1];
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, BATCH, 1.0F, dy, out,
                network->value[layer], in, 0.0F, network->d_weight[layer], in);
    if (layer > 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, BATCH, in, out, 1.0F, dy, out,
                    network->weight[layer], in, 0.0F, network->d_value[layer], in);
}

/* run(network, steps, threads): the products of so many training steps */
static int run(lua_State *L)
{
    Network *network = lua_touserdata(L, 1);
    luaL_argcheck(L, network != NULL, 1, "expected what new() returned");
    lua_Integer steps = luaL_checkinteger(L, 2);
    openblas_set_num_threads((int)luaL_checkinteger(L, 3));
    for (lua_Integer step = 0; step < steps; step++) {
        for (int layer = 0; layer < LAYERS; layer++)
            forward(network, layer);
        for (int layer = LAYERS - 1; layer >= 0; layer--)
            backward(network, layer);
    }
    openblas_set_num_threads(1); /* as wrun wants it */
    return 0;
}

enum { VISIBLE = 784, HIDDEN = 500 };

typedef struct {
    float v[2][BATCH * VISIBLE], h[2][BATCH * HIDDEN]; /* of the data, of the model */
    float weight[HIDDEN * VISIBLE], d_weight[HIDDEN * VISIBLE];
} Machine;

static void up(Machine *machine, int phase)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BATCH, HIDDEN, VISIBLE, 1.0F,
                machine->v[phase], VISIBLE, machine->weight, VISIBLE, 0.0F, machine->h[phase],
                HIDDEN);
}

static void gradient(Machine *machine, int phase)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, HIDDEN, VISIBLE, BATCH,
                phase == 0 ? 1.0F : -1.0F, machine->h[phase], HIDDEN, machine->v[phase], VISIBLE,
                phase == 0 ? 0.0F : 1.0F, machine->d_weight, VISIBLE);
}

/* run_machine(machine, steps, threads): the products of so many steps of contrastive divergence */
static int run_machine(lua_State *L)
{
    Machine *machine = lua_touserdata(L, 1);
    luaL_argcheck(L, machine != NULL, 1, "expected what new_machine() returned");
    lua_Integer steps = luaL_checkinteger(L, 2);
    openblas_set_num_threads((int)luaL_checkinteger(L, 3));
    for (lua_Integer step = 0; step < steps; step++) {
        up(machine, 0);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, BATCH, VISIBLE, HIDDEN, 1.0F,
                    machine->h[0], HIDDEN, machine->weight, VISIBLE, 0.0F, machine->v[1], VISIBLE);
        up(machine, 1);
        gradient(machine, 0);
        gradient(machine, 1);
    }
    openblas_set_num_threads(1);
    return 0;
}

/* ---- as much memory ---- */

enum { MOST_INPUTS = 3, MOST_THREADS = 64 };

/* a part of y[n] = x2[n] + x3[n] - x1[n], or of fewer x; they lie one behind the other, y first, or,
 * in place, x1 is y */
typedef struct {
    float *y;
    ptrdiff_t n, begin, end;
    int inputs;
    bool in_place;
} Triad;

static void *triad_part(void *context)
{
    const Triad *t = context;
    float *y = t->y;
    const float *x1 = t->in_place ? y : y + t->n, *x2 = y + 2 * t->n, *x3 = x2 + t->n;
    if (t->inputs == 1) {
#pragma GCC ivdep
        for (ptrdiff_t i = t->begin; i < t->end; i++)
            y[i] = 1 - x1[i];
    } else if (t->inputs == 2) {
#pragma GCC ivdep
        for (ptrdiff_t i = t->begin; i < t->end; i++)
            y[i] = x2[i] - x1[i];
    } else {
#pragma GCC ivdep
        for (ptrdiff_t i = t->begin; i < t->end; i++)
            y[i] = x2[i] + x3[i] - x1[i];
    }
    return NULL;
}

/* triad(block, n, inputs, threads, in_place): one pass over block, of (MOST_INPUTS + 1) n floats */
static int triad(lua_State *L)
{
    Triad part[MOST_THREADS];
    pthread_t thread[MOST_THREADS];
    ptrdiff_t n = (ptrdiff_t)luaL_checkinteger(L, 2);
    int inputs = (int)luaL_checkinteger(L, 3), threads = (int)luaL_checkinteger(L, 4);
    bool in_place = lua_toboolean(L, 5);
    luaL_argcheck(L, threads >= 1 && threads <= MOST_THREADS, 4, "expected 1 to 64");
    for (int i = 0; i < threads; i++) {
        ptrdiff_t begin = n * i / threads, end = n * (i + 1) / threads;
        part[i] = (Triad){lua_touserdata(L, 1), n, begin, end, inputs, in_place};
        if (i > 0 && pthread_create(&thread[i], NULL, triad_part, &part[i]) != 0)
            return luaL_error(L, "no thread");
    }
    triad_part(&part[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

/* update(block, n, times): n weights are read and their gradients written, then both, with two
 * running means, passed over once more; block has 4 n floats */
static int update(lua_State *L)
{
    ptrdiff_t n = (ptrdiff_t)luaL_checkinteger(L, 2);
    float *p = lua_touserdata(L, 1), *g = p + n, *mean = g + n, *square = mean + n;
    for (lua_Integer i = luaL_checkinteger(L, 3); i > 0; i--) {
#pragma GCC ivdep
        for (ptrdiff_t j = 0; j < n; j++)
            g[j] = 0.5F * p[j];
#pragma GCC ivdep
        for (ptrdiff_t j = 0; j < n; j++) {
            mean[j] = 0.9F * mean[j] + 0.1F * g[j];
            square[j] = 0.99F * square[j] + 0.01F * g[j] * g[j];
            p[j] -= 1e-4F * mean[j] * square[j];
        }
    }
    return 0;
}

enum { TOGETHER = 1000 };

/* shuffle(block, n, times): the indices of n rows change places at random, then rows of four numbers
 * and a target are copied in that order, TOGETHER at a time; block has 6 n + 5 TOGETHER floats */
static int shuffle(lua_State *L)
{
    typedef struct {
        float value[4];
    } Row;
    ptrdiff_t n = (ptrdiff_t)luaL_checkinteger(L, 2);
    Row *x = lua_touserdata(L, 1), *x_batch = x + n;
    float *y = (float *)(x_batch + TOGETHER), *y_batch = y + n;
    uint32_t *index = (uint32_t *)(y_batch + TOGETHER), random = 1;
    for (lua_Integer i = luaL_checkinteger(L, 3); i > 0; i--) {
        for (ptrdiff_t j = 0; j < n; j++)
            index[j] = (uint32_t)j;
        for (ptrdiff_t j = 0; j < n; j++) {
            random = random * 1664525U + 1013904223U;
            ptrdiff_t k = j + (ptrdiff_t)((uint64_t)random * (uint64_t)(n - j) >> 32);
            uint32_t held = index[j];
            index[j] = index[k];
            index[k] = held;
        }
        for (const uint32_t *batch = index; batch + TOGETHER <= index + n; batch += TOGETHER) {
            for (int j = 0; j < TOGETHER; j++)
                x_batch[j] = x[batch[j]];
            for (int j = 0; j < TOGETHER; j++)
                y_batch[j] = y[batch[j]];
        }
    }
    return 0;
}

/* reduce(block, count): the sum of so many floats over all ranks, by MPI_Allreduce of the Open MPI
 * that wrun has loaded */
static int reduce(lua_State *L)
{
    int (*all_reduce)(const void *, void *, int, void *, void *, void *);
    void *address = dlsym(RTLD_DEFAULT, "MPI_Allreduce");
    void *world = dlsym(RTLD_DEFAULT, "ompi_mpi_comm_world");
    void *type = dlsym(RTLD_DEFAULT, "ompi_mpi_float");
    void *sum = dlsym(RTLD_DEFAULT, "ompi_mpi_op_sum"), *in_place = (void *)1;
    luaL_argcheck(L, address != NULL && world && type && sum, 1, "expected a run under mpirun");
    memcpy(&all_reduce, &address, sizeof address);
    void *block = lua_touserdata(L, 1);
    all_reduce(in_place, block, (int)luaL_checkinteger(L, 2), type, sum, world);
    return 0;
}

/* a block of floats, all small and none denormal */
static int push_block(lua_State *L, size_t size)
{
    float *number = lua_newuserdatauv(L, size, 0);
    for (size_t i = 0; i < size / sizeof(float); i++)
        number[i] = 0.001F * (float)(i % 17 + 1);
    return 1;
}

static int new_block(lua_State *L)
{
    return push_block(L, (size_t)luaL_checkinteger(L, 1) * sizeof(float));
}

static int new_network(lua_State *L)
{
    return push_block(L, sizeof(Network));
}

static int new_machine(lua_State *L)
{
    return push_block(L, sizeof(Machine));
}

static int new_triad(lua_State *L)
{
    return push_block(L, (MOST_INPUTS + 1) * (size_t)luaL_checkinteger(L, 1) * sizeof(float));
}

__attribute__((visibility("default"))) int luaopen_bare(lua_State *L);

int luaopen_bare(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"new", new_network},
        {"run", run},
        {"new_machine", new_machine},
        {"run_machine", run_machine},
        {"new_triad", new_triad},
        {"triad", triad},
        {"update", update},
        {"shuffle", shuffle},
        {"new_block", new_block},
        {"reduce", reduce},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
