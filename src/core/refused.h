/* refused.h: virtual functions that their driver has refused */
#pragma once

#include "core/manager.h"

/* Its driver has refused it for that domain: not to be chosen before something has changed there. */
void vgpu_refused_add(VgpuManager *self, const char *vf, const VgpuDomain *domain);
/* Whether it was, for another domain than @except. */
bool vgpu_refused_has(const VgpuManager *self, const char *vf, const char *except);
/* Something has changed on that GPU. */
void vgpu_refused_drop(VgpuManager *self, const char *gpu);
