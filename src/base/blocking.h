/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* blocking.h: threads that must not wait
 *
 * A thread that others depend on is marked, and functions that may wait for libvirt, a disk or another
 * thread check the mark. Such a bug would otherwise only show on a busy or broken host; this way it is
 * logged as critical wherever it is made, which fails any test. */
#pragma once

/* This thread must not wait any more, … */
void vgpu_blocking_forbid(void);
/* … until now. */
void vgpu_blocking_allow(void);

/* This thread is about to wait for @what. */
void vgpu_blocking_check(const char *what);
