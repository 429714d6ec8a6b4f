package io.github.rlhf4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** A chart as a file of its own. */
class SvgChartTest {

    private static final Chart CHART = new Chart(
            "tokens/s < $1 & more",
            "log₂ T",
            "tokens/s",
            new Series("", new double[] {6, 7, 8}, new double[] {3, 2, 1}, Series.Mark.LINE_AND_POINTS));

    private static Document parsed() throws IOException, ParserConfigurationException, SAXException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(SvgChart.file(CHART))));
    }

    @Test
    void aFileIsWellFormedAndNamesItsFormat() throws IOException, ParserConfigurationException, SAXException {
        Document svg = parsed();
        assertThat(svg.getDocumentElement().getNamespaceURI()).isEqualTo("http://www.w3.org/2000/svg");
        assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("tokens/s < $1 & more");
    }

    @Test
    void aFileBringsItsStyle() throws IOException, ParserConfigurationException, SAXException {
        assertThat(parsed().getElementsByTagName("style").item(0).getTextContent())
                .contains(".grid", ".tick");
    }

    @Test
    void eachPointIsDrawn() throws IOException, ParserConfigurationException, SAXException {
        assertThat(parsed().getElementsByTagName("circle").getLength()).isEqualTo(3);
    }
}
