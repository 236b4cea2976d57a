/* source.h: GSources that belong to an object */
#pragma once

#include <glib.h>

/* Takes the source (NULL: there is none) away from its context, and drops the reference. */
void vgpu_source_clear(GSource **source);
