/*
 * bare.c - the products of the document's network and nothing else, on OpenBLAS and its own threads
 *
 * What a training step cannot do without, for benchmarks to compare with: three products forward,
 * three for the weights' gradients, two for the hidden layers'. A Lua C module.
 */
#include <cblas.h>
#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

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

/* new() -> a network, all of whose numbers are small and none is denormal */
static int new (lua_State *L)
{
    Network *network = lua_newuserdatauv(L, sizeof(Network), 0);
    float *number = (float *)network;
    for (size_t i = 0; i < sizeof(Network) / sizeof(float); i++)
        number[i] = 0.001F * (float)(i % 17 + 1);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_bare(lua_State *L);

int luaopen_bare(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", new}, {"run", run}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
