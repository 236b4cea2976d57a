/* excerpt.h: a domain's XML without what says nothing about its vGPUs */
#pragma once

#include "domain/domain.h"

/* As text. Parsed, it has all that vgpu_domain_parse() and those who judge its vGPUs read of @domain: identity,
 * annotation, host devices, and the places, names and kinds of the others. */
char *vgpu_excerpt_make(const VgpuDomain *domain);
