/** Chat formats that follow a model's own Jinja {@code chat_template}. */
@NullMarked
package io.github.rlhf4j.transformer.chat;

import org.jspecify.annotations.NullMarked;
