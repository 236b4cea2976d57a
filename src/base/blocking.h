/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* blocking.h: threads that must not wait
 *
 * A thread on which others depend says so, and what may wait for libvirt, a disk or another thread asks. Such
 * a fault shows by itself only on a host that is busy or broken, so it is looked for wherever it is made: it
 * is logged as critical, at which every test ends. */
#pragma once

/* This thread must not wait any more, … */
void vgpu_blocking_forbid(void);
/* … until now. */
void vgpu_blocking_allow(void);

/* This thread is about to wait for @what. */
void vgpu_blocking_check(const char *what);
