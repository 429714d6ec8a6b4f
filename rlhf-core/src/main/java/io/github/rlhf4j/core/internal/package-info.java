/** Shared by the packages of this module; not for users. */
@NullMarked
package io.github.rlhf4j.core.internal;

import org.jspecify.annotations.NullMarked;
