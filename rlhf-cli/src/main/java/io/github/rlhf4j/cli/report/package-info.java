/** The report of a run: one HTML file that needs nothing else, and the results as a table of text. */
@NullMarked
package io.github.rlhf4j.cli.report;

import org.jspecify.annotations.NullMarked;
