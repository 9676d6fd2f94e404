/*
 * bind_node.h - a node of the graph: one call of a differentiable operation
 *
 * bind_autograd.c makes it, bind_backward.c walks it. Its user values hold what it needs and no
 * more: the row of a structural operation (see lua/wrun/operations.lua), the values that gradients
 * read, and an edge for each argument that wants a gradient.
 *
 * Invariant: a saved tensor's storage has the version noted beside it, or the walk is refused.
 */
#ifndef BIND_NODE_H
#define BIND_NODE_H

#include "bind/bind.h"

typedef struct {
    int64_t version; /* of the saved tensor */
    int shape_at;    /* first size of this argument in the node's list of sizes */
    /* the node's user values that hold it, and where its gradient goes, to the node that made it or,
     * to_leaf, to itself; 0 where there is none */
    uint16_t value, edge;
    uint8_t dtype, ndim;
    bool is_tensor, to_leaf;
} Argument;

typedef struct {
    int number; /* in the walk that met it last */
    int op;     /* of an elementwise operation, its number in ops.def; else NO_OP */
    int count;
    bool released;
    bool hooked;    /* functions of the script want its gradient */
    uint16_t layer; /* of the profile, in which it was recorded */
    Argument result;
    Argument argument[]; /* then the sizes of all arguments */
} Node;

enum { NODE_ROW = 1 }; /* the user value with the row of a structural operation */

static inline int64_t *node_sizes(Node *node)
{
    return (int64_t *)(void *)&node->argument[node->count];
}

/* pushes the row of the operation of the node at `index` */
void bind_push_row(lua_State *L, int index);

#endif
