/** What the packages of this module share and users do not need. */
@NullMarked
package io.github.rlhf4j.ppo.internal;

import org.jspecify.annotations.NullMarked;
