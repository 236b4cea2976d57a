/* fake-driver.h: a tree of files that behaves like a kernel with an mdev driver
 *
 * fake-driver.c takes the place of libc's write() and open(): linked into a test, or preloaded into
 * the real programs with FAKE_DRIVER_ROOT=DIR. What is written to the `create` and `remove` files
 * below DIR/sys does there what the kernel and NVIDIA's driver do: errno, links, available
 * counts, a remove that blocks while the device is open. All state is in the tree, so that processes share it.
 *
 * Files below DIR/knobs steer it:
 *   create_delay_ms   create sleeps that long first: who is killed then has made nothing
 *   create_late_ms    create sleeps that long at its end: the device is there already
 *   remove_delay_ms   remove sleeps that long; the directory has gone, the UUID is still taken
 *   create_fail_next  the next N creates fail with EIO
 *   lie_available     every type says 1 although there is none
 *   hang_create-ADDR, hang_remove-ADDR   blocks while the file exists (ADDR: function or GPU)
 *   open-UUID         somebody has that device open while the file exists */
#pragma once

/* The tree of this process, from now on; NULL: none. Before threads are started. */
void fake_driver_set_root(const char *root);
