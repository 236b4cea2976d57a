/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* as-root.c: preloaded into the hook, which serves root only, so that tests can run as any user */
#include <unistd.h>

uid_t
geteuid(void)
{
    return 0;
}
