/*
 * pool.h - the one thread pool
 *
 * Work is cut by shape alone, or as no cut can change a bit; the pool only decides who does which
 * piece, so results do not depend on the number of threads. Tasks must not call Lua and must not
 * raise. The workers start at the first parallel run.
 */
#ifndef POOL_H
#define POOL_H

#include "tensor/base.h"

enum { MAX_THREADS = 256 };

typedef struct Pool Pool;
typedef void PoolTask(void *context, int64_t piece);
typedef void PoolStop(void *context); /* raises an error; does not return */

/* Makes a pool of `threads` threads, the caller's included, in `pool_size()` bytes; `stop` is
 * called on the caller's thread when an interrupt is wanted. */
size_t pool_size(void);
void pool_init(Pool *pool, int threads, PoolStop *stop, void *context);
void pool_close(Pool *pool);

int pool_threads(const Pool *pool);
void pool_set_threads(Pool *pool, int threads); /* joins the workers; the next run starts anew */
int pool_default_threads(void);                 /* the processors this process may use */

/* The threads that there can be, at most pool_threads; a worker that cannot be made, or a limit that
 * a user of the pool sets, lowers it until the number of threads is set again. */
int pool_usable(const Pool *pool);
void pool_limit(Pool *pool, int usable);

/* Calls task(context, piece) once for each piece in 0..pieces-1,
 * in any order, and returns when all are done; or leaves some undone, and stops. */
void pool_run(Pool *pool, PoolTask *task, void *context, int64_t pieces);
/* the same, but never stops: for what must not be changed in part */
void pool_run_whole(Pool *pool, PoolTask *task, void *context, int64_t pieces);
/* Stops if an interrupt is wanted: for long work beside the pool. */
void pool_check(const Pool *pool);

#endif
