/*
 * download.h - fetches one file, whole and checked, or not at all
 *
 * libcurl is opened when first needed: a run that downloads nothing neither loads it nor needs it
 * installed. The bytes go to PATH.part in the same folder, which is locked against other processes;
 * only after they were flushed and their SHA-256 agreed does the file get its name. Proxies are
 * taken from the environment (https_proxy), as libcurl does.
 */
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include "tensor/base.h"

enum { DOWNLOAD_DETAIL = 256 };

typedef struct {
    const char *url; /* http or https */
    const char *path;
    const char *sha256; /* of the uncompressed content, lower case; NULL: not checked */
    int64_t limit;      /* accept no more bytes than this, neither received nor uncompressed */

    /* Called often; total is 0 while unknown. False stops the download. Must not raise. */
    bool (*progress)(void *context, int64_t done, int64_t total);
    void *context;
} DownloadPlan;

/*
 * Returns NULL when path holds the new file; else why not, and detail[] what the system or the
 * server said, "" when there is nothing to add. After a refusal path is as it was and no partial
 * file is left.
 */
Reason download_run(const DownloadPlan *plan, char detail[DOWNLOAD_DETAIL]);

/* two Reasons that callers tell apart */
extern const char download_stopped[]; /* the progress function returned false, or an interrupt */
extern const char download_unlike[];  /* detail[] is the SHA-256 of what came */

#endif
