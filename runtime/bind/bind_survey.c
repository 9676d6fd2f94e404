/*
 * bind_survey.c - what a walk backward reaches
 *
 * Every node and leaf that leads to what is wanted gets a number, and the edges are counted by which
 * gradients will arrive at it. No function of a row runs meanwhile: what a node was numbered by an
 * earlier walk is written over.
 */
#include <string.h>

#include "bind/bind_walk.h"

/* `array`, which lies in the stack's slot, with room for one more */
static void *with_room(lua_State *L, int slot, void *array, int count, int *room, size_t size)
{
    if (count < *room)
        return array;
    *room *= 2;
    void *larger = lua_newuserdatauv(L, (size_t)*room * size, 0);
    memcpy(larger, array, (size_t)count * size);
    lua_replace(L, slot);
    return larger;
}

/* Is the value on top wanted? Where nothing is in particular, leaves are. */
static bool is_wanted(const Walk *w, bool is_leaf)
{
    if (!w->selective)
        return is_leaf;
    lua_pushvalue(w->L, -1);
    bool wanted = lua_rawget(w->L, WANTED) != LUA_TNIL;
    lua_pop(w->L, 1);
    return wanted;
}

/* where a node or a leaf keeps the number that it was given last, by this walk or by another */
static int *number_in(void *object, bool is_leaf)
{
    return is_leaf ? &((Tensor *)object)->number : &((Node *)object)->number;
}

/* the number of a node or leaf, NOWHERE where it has none; a finaliser may have begun a walk
 * meanwhile */
static int number_of(const Walk *w, void *object, bool is_leaf)
{
    int number = *number_in(object, is_leaf);
    if (number < w->count && w->visits[number].object == object)
        return number;
    if (bind_runtime(w->L)->walks != w->id)
        for (int k = 0; k < w->count; k++)
            if (w->visits[k].object == object)
                return k;
    return NOWHERE;
}

void walk_add_target(Walk *w)
{
    w->targets =
        with_room(w->L, TARGETS, w->targets, w->target_count, &w->target_room, sizeof *w->targets);
    w->targets[w->target_count++] = NOWHERE;
}

/* numbers the node or leaf on top, which this is, and pops it */
static int meet(Walk *w, void *object, bool is_leaf)
{
    lua_State *L = w->L;
    int number = w->count, arguments = is_leaf ? 0 : ((const Node *)object)->count;
    w->visits = with_room(L, VISITS, w->visits, number, &w->visit_room, sizeof *w->visits);
    w->visits[number] = (Visit){
        .object = object,
        .is_leaf = is_leaf,
        .wanted = is_wanted(w, is_leaf),
        .first = w->target_count,
        .next = NOWHERE,
    };
    for (int i = 0; i < arguments; i++)
        walk_add_target(w);
    if (number == FEW_NODES)
        for (int what = MET; what <= SUM; what++) {
            lua_newtable(L);
            lua_replace(L, OTHERS + what);
        }
    walk_keep(w, MET, number);
    w->count++;
    return *number_in(object, is_leaf) = number;
}

/* puts a node on the path */
static void enter(Walk *w, int number, int depth)
{
    w->frames = with_room(w->L, FRAMES, w->frames, depth, &w->frame_room, sizeof *w->frames);
    w->frames[depth] = (Frame){.number = number};
}

/* everything below the node is known: does it lead to what is wanted, and who waits for it? */
static void leave(Walk *w, Visit *visit)
{
    const Node *node = visit->object;
    int *target = w->targets + visit->first;
    visit->leads = !w->selective;
    for (int i = 0; i < node->count; i++) {
        if (target[i] >= 0 && !w->visits[target[i]].leads && !w->visits[target[i]].wanted)
            target[i] = NOWHERE;
        visit->leads |= target[i] != NOWHERE;
    }
    if (!visit->leads)
        return;
    if (node->released)
        bind_fail(w->L, "backward: this graph was walked already and its values are gone; pass "
                        "retain_graph = true the first time");
    for (int i = 0; i < node->count; i++)
        if (target[i] >= 0)
            w->visits[target[i]].waiting++;
}

int walk_survey(Walk *w, bool is_leaf)
{
    lua_State *L = w->L;
    void *object = lua_touserdata(L, -1);
    int root = number_of(w, object, is_leaf), depth = 0;
    if (root != NOWHERE) {
        lua_pop(L, 1);
        return root;
    }
    root = meet(w, object, is_leaf);
    if (!is_leaf)
        enter(w, root, depth++);
    while (depth > 0) {
        Frame *frame = &w->frames[depth - 1];
        Visit *visit = &w->visits[frame->number];
        const Node *node = visit->object;
        if (frame->next == node->count) {
            leave(w, visit);
            depth--;
            continue;
        }
        int i = frame->next++, target = visit->first + i;
        const Argument *argument = &node->argument[i];
        if (argument->edge == 0)
            continue;
        walk_push(w, MET, frame->number);
        lua_getiuservalue(L, -1, argument->edge);
        object = lua_touserdata(L, -1);
        int number = number_of(w, object, argument->to_leaf);
        if (number != NOWHERE) {
            lua_pop(L, 2);
        } else {
            number = meet(w, object, argument->to_leaf);
            lua_pop(L, 1);
            if (!argument->to_leaf)
                enter(w, number, depth++);
        }
        w->targets[target] = number;
    }
    return root;
}
