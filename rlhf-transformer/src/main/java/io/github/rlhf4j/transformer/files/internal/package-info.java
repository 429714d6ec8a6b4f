/** What the readers and writers of all tensor formats share; for this module only. */
@NullMarked
package io.github.rlhf4j.transformer.files.internal;

import org.jspecify.annotations.NullMarked;
