/*
 * allocator.c - memory for a Lua state
 *
 * A free block holds its own links: one pair joins it to the blocks of its class, last freed first,
 * so that the next taken is the one most likely in the processor's cache; the other joins the blocks
 * of the cache, or beside it, by age, so that the oldest goes when that is full. Lua tells a block's
 * size whenever it hands one in, so nothing else is stored. A small free block has only the link to
 * the next of its class.
 *
 * A state's first small blocks are cut from slabs, which takes a tenth of what malloc does. They stay
 * in their classes, so slabs are few: where they end, malloc's blocks begin, which can go back.
 */
#include "command/allocator.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE ((size_t)1 << ALLOCATOR_LARGE_BITS)
#define CACHE ((size_t)1 << ALLOCATOR_CACHE_BITS)
#define LARGEST_CACHED (CACHE / 4 * 3) /* a larger one would push out nearly all that is kept */
#define BESIDE ((size_t)1 << ALLOCATOR_BESIDE_BITS)
#define HUGE_PAGE ((size_t)1 << 21)

struct FreeBlock {
    FreeBlock *next, *previous; /* in its class */
    FreeBlock *older, *newer;   /* in the cache, or beside it */
    size_t size;                /* of its class */
};

static bool is_cached(size_t size)
{
    return size >= LARGE && size <= LARGEST_CACHED;
}

static bool is_kept(size_t size)
{
    return size >= LARGE && size <= BESIDE;
}

/* The class that holds `size` bytes; *rounded is what each of its blocks has. */
static size_t class_of(size_t size, size_t *rounded)
{
    size_t power = 63 - (size_t)__builtin_clzll(size);
    size_t step_bits = power - ALLOCATOR_STEP_BITS;
    size_t steps = (size + ((size_t)1 << step_bits) - 1) >> step_bits; /* 8..16 */
    *rounded = steps << step_bits;
    return ((power - ALLOCATOR_LARGE_BITS - 1) << ALLOCATOR_STEP_BITS) + steps;
}

/* what is asked of malloc for so many bytes that are not small */
static size_t room_for(size_t size)
{
    size_t rounded = size;
    if (is_kept(size))
        class_of(size, &rounded);
    return rounded;
}

static FreeBlocks *place_of(Allocator *a, size_t size)
{
    return is_cached(size) ? &a->cache : &a->beside;
}

static void unlink_block(Allocator *a, FreeBlock *block, FreeBlock **class)
{
    FreeBlocks *place = place_of(a, block->size);
    *(block->previous ? &block->previous->next : class) = block->next;
    if (block->next)
        block->next->previous = block->previous;
    *(block->newer ? &block->newer->older : &place->newest) = block->older;
    *(block->older ? &block->older->newer : &place->oldest) = block->newer;
    place->size -= block->size;
}

static void drop(Allocator *a, FreeBlock *block)
{
    size_t rounded;
    unlink_block(a, block, &a->classes[class_of(block->size, &rounded)]);
    free(block);
}

/* drops the oldest blocks until so many bytes are left at most */
static void shrink(Allocator *a, FreeBlocks *place, size_t most)
{
    while (place->size > most)
        drop(a, place->oldest);
}

static bool is_small(size_t size)
{
    return size <= (ALLOCATOR_SMALL_CLASSES - 1) * ALLOCATOR_SMALL_STEP;
}

static void *take_fresh(Allocator *a, size_t size);

static size_t small_class(size_t size)
{
    return (size + ALLOCATOR_SMALL_STEP - 1) / ALLOCATOR_SMALL_STEP;
}

/* Is this small block cut from a slab? It lies where none of malloc's does. */
static bool is_cut(const void *memory)
{
    return (uintptr_t)memory % ALLOCATOR_SMALL_STEP != 0;
}

/* a block cut from the slab, or from malloc where slabs have taken their share */
static void *take_fresh_small(Allocator *a, size_t size)
{
    if (a->slab_left < size && a->slabs < ALLOCATOR_SLABS) {
        char *slab = take_fresh(a, ALLOCATOR_SLAB);
        if (!slab)
            return NULL;
        a->slabs++;
        a->slab = slab + ALLOCATOR_SMALL_STEP / 2;
        a->slab_left = ALLOCATOR_SLAB - ALLOCATOR_SMALL_STEP / 2;
    }
    if (a->slab_left < size)
        return take_fresh(a, size);
    void *block = a->slab;
    a->slab += size;
    a->slab_left -= size;
    return block;
}

static void *take_small(Allocator *a, size_t size)
{
    size_t class = small_class(size);
    void **block = a->small[class];
    if (!block)
        return take_fresh_small(a, class * ALLOCATOR_SMALL_STEP);
    a->small[class] = *block;
    if (!is_cut(block))
        a->small_cached -= class * ALLOCATOR_SMALL_STEP;
    return block;
}

static void keep_small(Allocator *a, void **block, size_t class)
{
    *block = a->small[class];
    a->small[class] = block;
}

static void give_small(Allocator *a, void *memory, size_t size)
{
    if (is_cut(memory)) {
        keep_small(a, memory, small_class(size));
        return;
    }
    /* Not Lua's size counts but what malloc gave: the first blocks of a state are from elsewhere. */
    size_t class = malloc_usable_size(memory) / ALLOCATOR_SMALL_STEP;
    size_t bytes = class * ALLOCATOR_SMALL_STEP;
    if (!ALLOCATOR_KEEPS_SMALL || class >= ALLOCATOR_SMALL_CLASSES ||
        a->small_cached + bytes > ALLOCATOR_SMALL_CACHE) {
        free(memory);
        return;
    }
    keep_small(a, memory, class);
    a->small_cached += bytes;
}

/* Is the small block the right one for the new size, too? */
static bool fits(const void *block, size_t old_size, size_t new_size)
{
    return is_cut(block) ? small_class(new_size) == small_class(old_size)
                         : new_size <= malloc_usable_size((void *)block) && new_size * 2 > old_size;
}

/* What a fresh block costs is a fault a page: huge pages spare most of them. */
static void ask_for_huge_pages(char *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before = -(uintptr_t)block % page;
    madvise(block + before, (size - before) / page * page, MADV_HUGEPAGE);
#endif
}

static bool keeps_any(const Allocator *a)
{
    return a->cache.size + a->beside.size + a->small_cached > 0;
}

/* realloc, or malloc where there is no block yet, for which what is kept makes room: what lies beside
 * the cache at once, all of it when nothing else is left */
static void *resize_fresh(Allocator *a, void *block, size_t size)
{
    if (size >= LARGE) {
        a->grows = is_cached(size);
        shrink(a, &a->beside, 0);
    }
    void *fresh = realloc(block, size);
    if (!fresh && keeps_any(a)) {
        allocator_release(a);
        fresh = realloc(block, size);
    }
    if (fresh && size >= HUGE_PAGE)
        ask_for_huge_pages(fresh, size);
    return fresh;
}

static void *take_fresh(Allocator *a, size_t size)
{
    return resize_fresh(a, NULL, size);
}

static void *take(Allocator *a, size_t size)
{
    if (is_small(size))
        return take_small(a, size);
    if (!is_kept(size))
        return take_fresh(a, size);
    size_t rounded;
    FreeBlock **class = &a->classes[class_of(size, &rounded)];
    FreeBlock *block = *class;
    if (!block)
        return take_fresh(a, rounded);
    unlink_block(a, block, class);
    return block;
}

static void give(Allocator *a, void *memory, size_t size)
{
    if (a->ending && ALLOCATOR_KEEPS_SMALL)
        return;
    if (memory && is_small(size)) {
        give_small(a, memory, size);
        return;
    }
    if (!memory || !is_kept(size) || (a->grows && !is_cached(size))) {
        free(memory);
        return;
    }
    FreeBlock *block = memory;
    FreeBlock **class = &a->classes[class_of(size, &block->size)];
    FreeBlocks *place = place_of(a, size);
    shrink(a, place, (place == &a->cache ? CACHE : BESIDE) - block->size);
    block->previous = NULL;
    block->next = *class;
    if (block->next)
        block->next->previous = block;
    *class = block;
    block->newer = NULL;
    block->older = place->newest;
    *(block->older ? &block->older->newer : &place->oldest) = block;
    place->newest = block;
    place->size += block->size;
}

void *allocator_resize(void *allocator, void *block, size_t old_size, size_t new_size)
{
    Allocator *a = allocator;
    if (!block)
        old_size = 0; /* Lua passes the kind of a new object here */
    if (new_size == 0) {
        give(a, block, old_size);
        return NULL;
    }
    if (block && is_small(old_size) && is_small(new_size) && fits(block, old_size, new_size))
        return block;
    size_t room = room_for(new_size);
    if (block && is_kept(old_size) && is_kept(new_size) && room == room_for(old_size))
        return block;
    bool by_copy =
        is_small(old_size) || is_small(new_size) || is_cached(old_size) || is_cached(new_size);
    if (block && !by_copy)
        return resize_fresh(a, block, room);
    void *moved = take(a, new_size);
    if (!moved) /* what shrinks has room where it is */
        return block && new_size <= old_size ? block : NULL;
    if (block) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        give(a, block, old_size);
    }
    return moved;
}

void allocator_release(Allocator *a)
{
    shrink(a, &a->cache, 0);
    shrink(a, &a->beside, 0);
    for (int class = 0; class < ALLOCATOR_SMALL_CLASSES; class ++)
        for (void **link = &a->small[class], **block; (block = *link) != NULL;) {
            if (is_cut(block)) {
                link = block;
            } else {
                *link = *block;
                free(block);
            }
        }
    a->small_cached = 0;
}
