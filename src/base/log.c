#include "base/log.h"

#include <glib.h>

void
vgpu_log_setup(bool debug)
{
    if (debug)
        g_setenv("G_MESSAGES_DEBUG", G_LOG_DOMAIN, FALSE);
}
