/* log.h: where messages go
 *
 * g_debug/g_message/g_warning as usual; GLib's default writer sends them to the journal by itself
 * when standard error is connected to it. */
#pragma once

#include <stdbool.h>

/* Show debug messages too. Before threads are started. */
void vgpu_log_setup(bool debug);
