/*
 * bind_walk.h - a walk backward over what was recorded, as its parts share it
 *
 * bind_survey.c numbers what is reached, bind_turn.c takes the turn of a node, bind_backward.c goes
 * from one to the next, and has what Lua calls.
 */
#ifndef BIND_WALK_H
#define BIND_WALK_H

#include "bind/bind_node.h"
#include "bind/bind_profile.h"

/* of a graph with few nodes all is known without a request of memory */
enum { FEW_NODES = 16, FEW_TARGETS = 64 };

/* what a walk keeps by number: the nodes and leaves that it met, and the sums of their gradients */
enum { MET, SUM };

/* the stack of a walk: its arguments; the memory of Walk; what it keeps of the first few, and tables
 * with that of the others; and the node whose turn it is with its gradient and row */
enum {
    OUTPUTS = 1,
    SEEDS,
    KEEP,
    WANTED,
    TAKE,
    VISITS,
    TARGETS,
    FRAMES,
    OTHERS,
    FEW = OTHERS + 2,
    NODE = FEW + 2 * FEW_NODES,
    GRADIENT,
    ROW
};

/* its upvalues after the Runtime: what graph_walker was given, and the names of a row's fields */
enum {
    WALK_OPERATIONS = 2,
    WALK_REFUSE_NAN,
    WALK_HOOK,
    WALK_SHAPES,
    WALK_KERNELS,
    WALK_TOGETHER,
    WALK_GRADIENTS,
    WALK_BACKWARD,
    WALK_UPVALUES = WALK_BACKWARD
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

typedef struct {
    lua_State *L;
    uint64_t id;
    bool selective, keep, takes, recording, tracing;
    Profile *profile; /* or NULL */
    Visit *visits, few_visits[FEW_NODES];
    int *targets, few_targets[FEW_TARGETS]; /* first of the outputs, then of the nodes */
    Frame *frames, few_frames[FEW_NODES];
    int count, visit_room, target_count, target_room, frame_room;
    int first, *last; /* of what is wanted and got a gradient; where the next one is to stand */
} Walk;

/* pushes what is kept under a number */
static inline void walk_push(const Walk *w, int what, int number)
{
    if (number < FEW_NODES)
        lua_pushvalue(w->L, FEW + 2 * number + what);
    else
        lua_rawgeti(w->L, OTHERS + what, number - FEW_NODES + 1);
}

/* pops it */
static inline void walk_keep(const Walk *w, int what, int number)
{
    if (number < FEW_NODES)
        lua_replace(w->L, FEW + 2 * number + what);
    else
        lua_rawseti(w->L, OTHERS + what, number - FEW_NODES + 1);
}

/* ---- bind_survey.c ---- */

/* adds to the list of targets one that is NOWHERE */
void walk_add_target(Walk *w);
/* pops the node or leaf on top and surveys what it was made from; returns its number */
int walk_survey(Walk *w, bool is_leaf);

/* ---- bind_turn.c ---- */

/* Passes the gradient of the node with this number, which has all of it, on to its arguments. */
void walk_take_turn(Walk *w, int number);
/* same(g, ...) -> g, what a row has for a gradient that passes unchanged: the walk need not call it */
int walk_same(lua_State *L);
/* Puts what has this number and its gradient into their slots, which are the last then. The script's
 * functions, where there are some, may put another gradient in its place. */
void walk_bring(Walk *w, int number, bool hooked);
/* pops g, which may be the walk's own, and adds it to the sum of what has this number */
void walk_add(Walk *w, int number, bool is_own);

#endif
