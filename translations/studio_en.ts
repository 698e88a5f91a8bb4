<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>bitlens::views::AdditivityPage</name>
        <message numerus="yes">
            <source>%n changed tensor(s) unknown and left out: %1</source>
            <translation>
                <numerusform>%n changed tensor unknown and left out: %1</numerusform>
                <numerusform>%n changed tensors unknown and left out, the first: %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::AgreementPage</name>
        <message numerus="yes">
            <source>Spearman %1 over %n cell(s)</source>
            <translation>
                <numerusform>Spearman %1 over %n cell</numerusform>
                <numerusform>Spearman %1 over %n cells</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Cells</name>
        <message numerus="yes">
            <source>predicted from %n sample(s)</source>
            <translation>
                <numerusform>predicted from %n sample</numerusform>
                <numerusform>predicted from %n samples</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>measured on %n window(s), %1 tokens scored</source>
            <translation>
                <numerusform>measured on %n window, %1 tokens scored</numerusform>
                <numerusform>measured on %n windows, %1 tokens scored</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: %n window(s) of %2 tokens; quantizer %3</source>
            <translation>
                <numerusform>%1: %n window of %2 tokens; quantizer %3</numerusform>
                <numerusform>%1: %n windows of %2 tokens; quantizer %3</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::CompareModel</name>
        <message numerus="yes">
            <source>%n window(s) of %1 tokens, %2 scored</source>
            <translation>
                <numerusform>%n window of %1 tokens, %2 scored</numerusform>
                <numerusform>%n windows of %1 tokens, %2 scored</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Document</name>
        <message numerus="yes">
            <source>Set %1 on %n tensor(s)</source>
            <translation>
                <numerusform>Set %1 on %n tensor</numerusform>
                <numerusform>Set %1 on %n tensors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Reset %n tensor(s) to the file's precision</source>
            <translation>
                <numerusform>Reset %n tensor to the file's precision</numerusform>
                <numerusform>Reset %n tensors to the file's precision</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take %1 and stay as they are: %2</source>
            <translation>
                <numerusform>%n tensor cannot take %1 and stays as it is: %2</numerusform>
                <numerusform>%n tensors cannot take %1 and stay as they are: %2</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take the recipe's precision and got the nearest one that fits: %1</source>
            <translation>
                <numerusform>%n tensor cannot take the recipe's precision and got the nearest one that fits: %1</numerusform>
                <numerusform>%n tensors cannot take the recipe's precision and got the nearest one that fits: %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Inspector</name>
        <message numerus="yes">
            <source>(%n selected)</source>
            <translation>
                <numerusform>(%n selected)</numerusform>
                <numerusform>(%n selected)</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: the %n value(s) of a typical block (largest |w| %2)</source>
            <translation>
                <numerusform>%1: the %n value of a typical block (largest |w| %2)</numerusform>
                <numerusform>%1: the %n values of a typical block (largest |w| %2)</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::JobsBar</name>
        <message numerus="yes">
            <source>%n more waiting</source>
            <translation>
                <numerusform>%n more waiting</numerusform>
                <numerusform>%n more waiting</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MeasurePanel</name>
        <message numerus="yes">
            <source>%n window(s) of %1</source>
            <translation>
                <numerusform>%n window of %1</numerusform>
                <numerusform>%n windows of %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ModelTree</name>
        <message numerus="yes">
            <source>%n layer(s)</source>
            <translation>
                <numerusform>%n layer</numerusform>
                <numerusform>%n layers</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ReportDialog</name>
        <message numerus="yes">
            <source>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms, the sensitivity of every cell and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</source>
            <translation>
                <numerusform>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms, the sensitivity of every cell and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</numerusform>
                <numerusform>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms, the sensitivity of every cell and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Sensitivity</name>
        <message numerus="yes">
            <source>%1 matrices × %2 formats over %n window(s) of %3 tokens</source>
            <translation>
                <numerusform>%1 matrices × %2 formats over %n window of %3 tokens</numerusform>
                <numerusform>%1 matrices × %2 formats over %n windows of %3 tokens</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) measured, median error %1</source>
            <translation>
                <numerusform>%n cell measured, error %1</numerusform>
                <numerusform>%n cells measured, median error %1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) predicted, median error %1</source>
            <translation>
                <numerusform>%n cell predicted, error %1</numerusform>
                <numerusform>%n cells predicted, median error %1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) left out: their shape cannot take the format, or they have it already.</source>
            <translation>
                <numerusform>%n cell left out: its shape cannot take the format, or it has it already.</numerusform>
                <numerusform>%n cells left out: their shape cannot take the format, or they have it already.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::SizeStrip</name>
        <message numerus="yes">
            <source>%1, %n window(s) of %2 tokens of %3</source>
            <translation>
                <numerusform>%1, %n window of %2 tokens of %3</numerusform>
                <numerusform>%1, %n windows of %2 tokens of %3</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>KL per token, predicted from %n sample(s), interactions included</source>
            <translation>
                <numerusform>KL per token, predicted from %n sample, interactions included</numerusform>
                <numerusform>KL per token, predicted from %n samples, interactions included</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n changed tensor(s) unknown and left out: %1</source>
            <translation>
                <numerusform>%n changed tensor unknown and left out: %1</numerusform>
                <numerusform>%n changed tensors unknown and left out, the first: %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Units</name>
        <message numerus="yes">
            <source>%n byte(s)</source>
            <translation>
                <numerusform>%n byte</numerusform>
                <numerusform>%n bytes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Why</name>
        <message numerus="yes">
            <source>%n input channel(s) stand out with a largest weight above 4 times the median channel's; channel %1 most, %2 times.</source>
            <translation>
                <numerusform>%n input channel stands out with a largest weight above 4 times the median channel's: channel %1, %2 times.</numerusform>
                <numerusform>%n input channels stand out with a largest weight above 4 times the median channel's; channel %1 most, %2 times.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n output channel(s) (rows) stand out in the same way; row %1 most, %2 times.</source>
            <translation>
                <numerusform>%n output channel (row) stands out in the same way: row %1, %2 times.</numerusform>
                <numerusform>%n output channels (rows) stand out in the same way; row %1 most, %2 times.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n input channel(s) carry values above 4 times the median channel's; channel %1 most, %2 times. An error in the weights of such a channel is multiplied.</source>
            <translation>
                <numerusform>%n input channel carries values above 4 times the median channel's: channel %1, %2 times. An error in the weights of such a channel is multiplied.</numerusform>
                <numerusform>%n input channels carry values above 4 times the median channel's; channel %1 most, %2 times. An error in the weights of such a channel is multiplied.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Half of the divergence comes from %n of the %1 windows measured; most from window %2 (%3 of it).</source>
            <translation>
                <numerusform>Half of the divergence comes from %n of the %1 windows measured; most from window %2 (%3 of it).</numerusform>
                <numerusform>Half of the divergence comes from %n of the %1 windows measured; most from window %2 (%3 of it).</numerusform>
            </translation>
        </message>
    </context>
</TS>
