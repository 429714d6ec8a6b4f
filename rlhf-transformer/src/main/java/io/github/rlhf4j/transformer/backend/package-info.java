/** Which ND4J backend computes, chosen once per JVM and verified. */
@NullMarked
package io.github.rlhf4j.transformer.backend;

import org.jspecify.annotations.NullMarked;
