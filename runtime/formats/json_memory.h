/*
 * json_memory.h - whether jansson has run out of memory
 *
 * It calls the file bad then, or leaves out bytes of a text and goes on.
 */
#ifndef JSON_MEMORY_H
#define JSON_MEMORY_H

#include <stdbool.h>

void json_memory_watch(void);  /* from here, in this thread */
bool json_memory_is_out(void); /* was it, since then? */

#endif
