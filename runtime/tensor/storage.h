/*
 * storage.h - a block of bytes
 *
 * A storage is one Lua userdata: this header, then the bytes, the first of them 64-byte aligned; or
 * the end of a tensor's userdata, while they are few and no other tensor shows them. Nothing is
 * malloc'ed behind it, so the collector sees every byte and there is nothing to free.
 * Storages are shared by views; `version` counts in-place changes, so that a gradient that needs an
 * overwritten value is refused.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include "tensor/base.h"

enum { STORAGE_ALIGNMENT = 64, STORAGE_FEW = 256 };

typedef struct {
    char *bytes; /* into this very userdata */
    int64_t size;
    int64_t version;
    bool viewed; /* has a recorded view been made of it? */
    uint32_t
        owner; /* the last backward pass that gave it to somebody as a gradient, by its number */
} Storage;

/* how many bytes the userdata needs for `size` bytes of elements */
static inline size_t storage_userdata_size(int64_t size)
{
    return sizeof(Storage) + STORAGE_ALIGNMENT + (size_t)size;
}

/* lays out a fresh userdata of storage_userdata_size(size) bytes */
static inline Storage *storage_init(void *userdata, int64_t size)
{
    Storage *storage = userdata;
    uintptr_t first = (uintptr_t)(storage + 1);
    first = (first + STORAGE_ALIGNMENT - 1) & ~(uintptr_t)(STORAGE_ALIGNMENT - 1);
    *storage = (Storage){.bytes = (char *)first, .size = size};
    return storage;
}

/* the same for the end of a tensor's userdata; sizeof(Storage) + size bytes */
static inline Storage *storage_init_few(void *end, int64_t size)
{
    Storage *storage = end;
    *storage = (Storage){.bytes = (char *)(storage + 1), .size = size};
    return storage;
}

#endif
