/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* excerpt.h: a domain's XML without what says nothing about its vGPUs */
#pragma once

#include "domain/domain.h"

/* As text. Parsed, it has all that vgpu_domain_parse() and those who place and attach its vGPUs read of @domain:
 * identity, annotation, host devices, and the places, names and kinds of the others. Of what lint.h reads
 * beside that some is missing. */
char *vgpu_excerpt_make(const VgpuDomain *domain);
