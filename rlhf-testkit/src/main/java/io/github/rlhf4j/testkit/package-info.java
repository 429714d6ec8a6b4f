/** For users' own tests: exact tabular policies, generators, contract tests. */
@NullMarked
package io.github.rlhf4j.testkit;

import org.jspecify.annotations.NullMarked;
