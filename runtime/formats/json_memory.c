/*
 * json_memory.c - whether jansson has run out of memory; see json_memory.h
 */
#include <jansson.h>
#include <stdlib.h>

#include "formats/json_memory.h"

static _Thread_local bool is_out;

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        is_out = true;
    return memory;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(take, free);
    is_out = false;
}

bool json_memory_is_out(void)
{
    return is_out;
}
