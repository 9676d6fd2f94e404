/*
 * allocator.h - memory for a Lua state
 *
 * Tensors are large blocks that live for a moment. Handing each back to the system would cost a
 * page fault for every 4 KiB of the next one, so blocks of ALLOCATOR_LARGE bytes and more are cut
 * to size classes and kept for reuse, at most ALLOCATOR_CACHE bytes of them. A block that would fill
 * most of that cache waits beside it for the next of its class. It goes before the system is asked
 * for another large block, and at once where that was for the cache, so that what waits does not
 * make the peak higher. Small blocks, which the collector frees by the thousand, are kept too, the
 * first of them cut from slabs; what is between is malloc's.
 */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

enum {
    ALLOCATOR_LARGE_BITS = 15,  /* 32 KiB */
    ALLOCATOR_CACHE_BITS = 25,  /* 32 MiB */
    ALLOCATOR_BESIDE_BITS = 28, /* 256 MiB */
    /* 8 classes between a power of two and the next: at most 1/8 is wasted */
    ALLOCATOR_STEP_BITS = 3,
    ALLOCATOR_CLASSES = ((ALLOCATOR_BESIDE_BITS - ALLOCATOR_LARGE_BITS) << ALLOCATOR_STEP_BITS) + 1,
    ALLOCATOR_SMALL_STEP = 16,
    ALLOCATOR_SMALL_CLASSES = 33, /* 0, 16, ... 512 bytes */
    ALLOCATOR_SMALL_CACHE = 1 << 22,
    ALLOCATOR_SLAB = 1 << 13
};

/* Checkers of memory see more when each block comes from malloc. */
#if defined(__SANITIZE_ADDRESS__) && !defined(ALLOCATOR_KEEPS_SMALL)
#define ALLOCATOR_KEEPS_SMALL 0
#elif !defined(ALLOCATOR_KEEPS_SMALL)
#define ALLOCATOR_KEEPS_SMALL 1
#endif

enum { ALLOCATOR_SLABS = ALLOCATOR_KEEPS_SMALL ? ALLOCATOR_SMALL_CACHE / ALLOCATOR_SLAB : 0 };

typedef struct FreeBlock FreeBlock;

typedef struct {
    FreeBlock *newest, *oldest; /* of several classes, by the time they were freed */
    size_t size;                /* bytes kept */
} FreeBlocks;

typedef struct {
    FreeBlock *classes[ALLOCATOR_CLASSES]; /* of each class, the block freed last */
    FreeBlocks cache, beside;
    bool grows; /* the last large block from the system is one for the cache */
    void *small[ALLOCATOR_SMALL_CLASSES]; /* of each class, the block freed last */
    size_t small_cached;                  /* bytes of them that are malloc's */
    char *slab; /* what is left of the last, 8 beyond a multiple of 16, as malloc's never are */
    size_t slab_left;
    int slabs;
    bool ending; /* the process is: blocks need not go back to the system one by one */
} Allocator;

/*
 * The lua_Alloc function; its user data is an Allocator that began as zeros. A block below
 * ALLOCATOR_LARGE may come from realloc.
 */
void *allocator_resize(void *allocator, void *block, size_t old_size, size_t new_size);

/* gives the kept blocks back to the system */
void allocator_release(Allocator *a);

#endif
