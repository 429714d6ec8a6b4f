/** Files that survive a killed process and a full disk. */
@NullMarked
package io.github.rlhf4j.core.files;

import org.jspecify.annotations.NullMarked;
