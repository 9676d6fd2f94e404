/*
 * bind_node.h - a node of the graph: one call of a differentiable operation
 *
 * bind_autograd.c makes it, bind_backward.c walks it. Its user values hold the operation's row (see
 * lua/wrun/operations.lua), the values that its gradients read, and an edge for each argument that
 * wants a gradient.
 *
 * Invariant: a saved tensor's storage has the version noted beside it, or the walk is refused.
 */
#ifndef BIND_NODE_H
#define BIND_NODE_H

#include "bind/bind.h"

/* where the gradient of an argument goes: to the node that made it, or to the argument, a leaf */
typedef enum { NO_EDGE, EDGE_NODE, EDGE_LEAF } Edge;

typedef struct {
    int64_t version; /* of the saved tensor */
    bool is_tensor, saved;
    uint8_t dtype, ndim, edge;
    int shape_at; /* first size of this argument in the node's list of sizes */
} Argument;

typedef struct {
    uint64_t walk; /* the walk that met it last, and the number it has there */
    int number;
    int op; /* of an elementwise operation, its number in ops.def; else NO_OP */
    int count;
    bool released;
    bool hooked;    /* functions of the script want its gradient */
    uint16_t layer; /* of the profile, in which it was recorded */
    Argument result;
    Argument argument[]; /* then the sizes of all arguments */
} Node;

/* user values of a node */
enum { NODE_ROW = 1, NODE_RESULT, NODE_VALUES };

static inline int node_value(int i)
{
    return NODE_VALUES + i;
}

static inline int node_edge(const Node *node, int i)
{
    return NODE_VALUES + node->count + i;
}

static inline int64_t *node_sizes(Node *node)
{
    return (int64_t *)(void *)&node->argument[node->count];
}

#endif
